import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Keycloak } from '../setup/keycloak.ts'
import { allOf, modernPost, sessionRequest } from '../setup/mcp-post.ts'
import { until } from '../setup/wait.ts'
import { ask, bearer, firstRequests, open, proven } from './eras.ts'
import type { Office } from './office.ts'
import { byGroup, type House, openHouse } from './open-house.ts'
import { addAudiences } from './realm.ts'
import { keyOf, tokenOf } from './tokens.ts'
import { quoted } from './tokens-of-keycloak.ts'

const eras = Object.values(firstRequests)

/** Keycloak's keys change, Keycloak is gone, tokens end. Each has a gateway of its own, which knows nothing yet. */
export async function faultTests(t: TestContext, keycloak: Keycloak, office: Office): Promise<void> {
  const documentFor = (urls: readonly string[], more: string) =>
    `{ jwt: [{ issuer: "${keycloak.issuer}", audiences: [${quoted(urls)}]${more} }], mcp: { provider: keycloak } }`
  const openFor = (t: TestContext, more: string) =>
    openHouse(t, office, byGroup, async (urls) => {
      await addAudiences(keycloak, urls)
      return documentFor(urls, more)
    })
  const statusOf = async (house: House, token: string, request = firstRequests.legacy) =>
    (await ask(house.url('sre'), proven(request, bearer(token)))).status

  await t.test('a new key signs: its tokens are good at once; the old key goes: its tokens and their streams end', async (t) => {
    const jwks = `, jwks: { url: "${keycloak.issuer}/protocol/openid-connect/certs", refresh: 1s }`
    const house = await openFor(t, jwks)
    const old = await tokenOf(keycloak, 'alice')
    assert.equal(await statusOf(house, old), 200)
    const stream = await listen(house, old)
    const former = await signingKey(keycloak)
    await addSigningKey(keycloak)
    const fresh = await tokenOf(keycloak, 'alice')
    assert.notEqual(keyOf(fresh), keyOf(old))
    for (const request of eras) assert.equal(await statusOf(house, fresh, request), 200)
    assert.equal(await statusOf(house, old), 200, 'a key that only signs no more')
    await disable(keycloak, former)
    await until('tokens of the old key refused', async () => ((await statusOf(house, old)) === 401 ? true : undefined))
    await untilEnded(stream)
    for (const request of eras) assert.equal(await statusOf(house, fresh, request), 200)
  })

  await t.test('a new key signs: whoever found the keys by the issuer finds the new one too', async (t) => {
    const house = await openFor(t, '')
    assert.equal(await statusOf(house, await tokenOf(keycloak, 'alice')), 200)
    await addSigningKey(keycloak)
    for (const request of eras) assert.equal(await statusOf(house, await tokenOf(keycloak, 'alice'), request), 200)
  })

  await t.test('Keycloak stands still: who knows its keys serves on, who starts now says 503, and 200 when it is back', async (t) => {
    const warm = await openFor(t, '')
    const tokens: string[] = []
    try {
      const cold = await openHouse(t, office, byGroup, async (urls) => {
        await addAudiences(keycloak, urls)
        for (let i = 0; i < 2; i++) tokens.push(await tokenOf(keycloak, 'alice'))
        const [seen = ''] = tokens
        assert.equal(await statusOf(warm, seen), 200)
        keycloak.freeze()
        return documentFor(urls, '')
      })
      const asked = tokens.flatMap((token) => eras.map((request) => ({ token, request })))
      for (const { token, request } of asked) assert.equal(await statusOf(warm, token, request), 200)
      const refused = await Promise.all(asked.map(({ token, request }) => ask(cold.url('sre'), proven(request, bearer(token)))))
      for (const { status, retryAfter, challenge } of refused) {
        assert.deepEqual([status, challenge], [503, ''], 'a client that sees a challenge throws its token away')
        assert.ok(retryAfter > 0)
      }
      assert.equal((await ask(cold.url('sre'), firstRequests.legacy)).status, 401, 'of who has no token Keycloak need not be asked')
      await keycloak.thaw()
      for (const token of tokens)
        await until('the one that started late lets callers in', async () => ((await statusOf(cold, token)) === 200 ? true : undefined))
    } finally {
      await keycloak.thaw()
    }
  })

  await t.test('a token ends inside open streams: they end, and others go on', async (t) => {
    const house = await openFor(t, ', leeway: 0s')
    const long = await tokenOf(keycloak, 'alice')
    const brief = await tokenOf(keycloak, 'alice', { client: 'brief' })
    const [ending, lasting] = await Promise.all([
      Promise.all([listen(house, brief), follow(house, brief)]),
      Promise.all([listen(house, long), follow(house, long)]),
    ])
    for (const stream of ending) await untilEnded(stream)
    assert.deepEqual(
      lasting.map(({ isOpen }) => isOpen),
      [true, true],
    )
    for (const request of eras) {
      const { status, challenge } = await ask(house.url('sre'), proven(request, bearer(brief)))
      assert.equal(status, 401)
      assert.match(challenge, /error="invalid_token".*expired/)
      assert.equal(await statusOf(house, long, request), 200)
    }
  })
}

interface Stream {
  readonly isOpen: boolean
  /** Resolves when the server has ended it as HTTP has it; rejects where the connection broke. */
  readonly ended: Promise<unknown>
}

/** `subscriptions/listen`, whose acknowledgement has come. */
async function listen(house: House, token: string): Promise<Stream> {
  const reply = await open(
    house.url('sre'),
    modernPost(1, 'subscriptions/listen', { notifications: { toolsListChanged: true } }),
    bearer(token),
  )
  assert.equal(reply.status, 200)
  const { value } = await reply.messages.next()
  assert.equal(value?.method, 'notifications/subscriptions/acknowledged')
  return streamOf(allOf(reply))
}

/** A legacy session's own stream. */
async function follow(house: House, token: string): Promise<Stream> {
  const opened = await open(house.url('sre'), firstRequests.legacy, bearer(token))
  await allOf(opened)
  assert.ok(opened.session !== undefined)
  const reply = await open(house.url('sre'), sessionRequest('GET', opened.session), bearer(token))
  assert.equal(reply.status, 200)
  return streamOf(allOf(reply))
}

function streamOf(ended: Promise<unknown>): Stream {
  let isOpen = true
  const settled = () => {
    isOpen = false
  }
  void ended.then(settled, settled)
  return {
    ended,
    get isOpen() {
      return isOpen
    },
  }
}

async function untilEnded(stream: Stream): Promise<void> {
  await until('the end of a stream whose token is no longer good', () => (stream.isOpen ? undefined : true))
  await stream.ended
}

interface KeyProvider {
  readonly id: string
  readonly config: Readonly<Record<string, readonly string[]>>
}

/** The key that signs now: of several the one that was put first. */
async function signingKey(keycloak: Keycloak): Promise<KeyProvider> {
  const all = (await keycloak.admin('GET', '/components?type=org.keycloak.keys.KeyProvider')) as readonly (KeyProvider & {
    readonly providerId: string
  })[]
  const [first] = all.filter(({ providerId }) => providerId === 'rsa-generated').sort((a, b) => priorityOf(b) - priorityOf(a))
  assert.ok(first !== undefined)
  return first
}

/** Makes a key that goes before all others. */
async function addSigningKey(keycloak: Keycloak): Promise<void> {
  const priority = priorityOf(await signingKey(keycloak)) + 100
  const { id } = (await keycloak.admin('GET', '')) as { readonly id: string }
  await keycloak.admin('POST', '/components', {
    name: `key-${priority}`,
    providerId: 'rsa-generated',
    providerType: 'org.keycloak.keys.KeyProvider',
    parentId: id,
    config: { priority: [String(priority)], enabled: ['true'], active: ['true'], algorithm: ['RS256'] },
  })
}

/** The key is gone from what Keycloak publishes. */
async function disable(keycloak: Keycloak, provider: KeyProvider): Promise<void> {
  await keycloak.admin('PUT', `/components/${provider.id}`, {
    ...provider,
    config: { ...provider.config, enabled: ['false'], active: ['false'] },
  })
}

function priorityOf({ config }: KeyProvider): number {
  return Number(config['priority']?.[0] ?? 0)
}

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Keycloak } from '../setup/keycloak.ts'
import { ask, bearer, firstRequests, proven } from './eras.ts'
import type { Agent, Office } from './office.ts'
import { byGroup, type House, openHouse } from './open-house.ts'
import { addAudiences, type Person, toolsScope } from './realm.ts'
import { tellStory } from './story.ts'
import { ownToken, tokenOf } from './tokens.ts'

const personOf: Readonly<Record<Agent, Person>> = { sre: 'alice', accountant: 'bob' }
const eras = Object.entries(firstRequests)

/** The story with tokens of Keycloak, found by its issuer alone; and tokens that aren't good, or good for too little. */
export async function tokenTests(t: TestContext, keycloak: Keycloak, office: Office): Promise<void> {
  const forNobody = await tokenOf(keycloak, 'alice')
  await addAudiences(keycloak, ['https://elsewhere.example/mcp'])
  const forOthers = await tokenOf(keycloak, 'alice')
  const house = await openHouse(t, office, byGroup, async (urls) => {
    await addAudiences(keycloak, urls)
    return `{ jwt: [{ issuer: "${keycloak.issuer}", audiences: [${quoted(urls)}] }], mcp: { provider: keycloak } }`
  })
  await tellStory(t, house, office, async (agent) => bearer(await tokenOf(keycloak, personOf[agent])))

  await t.test('no token: 401, and the way to one', async () => {
    for (const agent of ['sre', 'accountant'] as const) {
      const challenges = await Promise.all(eras.map(async ([, request]) => ask(house.url(agent), request)))
      for (const { status, challenge } of challenges) {
        assert.equal(status, 401)
        assert.doesNotMatch(challenge, /error=/)
        const metadata = /^Bearer resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? ''
        assert.equal(metadata, `${house.gateway.origin}/.well-known/oauth-protected-resource/mcp/${agent}`)
        const reply = await fetch(metadata)
        assert.equal(reply.status, 200)
        const { resource, authorization_servers, bearer_methods_supported } = (await reply.json()) as Record<string, unknown>
        assert.deepEqual(
          { resource, authorization_servers, bearer_methods_supported },
          { resource: house.url(agent), authorization_servers: [keycloak.issuer], bearer_methods_supported: ['header'] },
        )
      }
    }
  })

  await t.test('tokens that are no good: 401 that says so, in either era', async () => {
    const good = await tokenOf(keycloak, 'alice')
    assert.equal((await ask(house.url('sre'), proven(firstRequests.legacy, bearer(good)))).status, 200)
    const [head = '', claims = '', signature = ''] = good.split('.')
    const asBob = Buffer.from(claims, 'base64url').toString().replace('"groups":["sre"]', '"groups":["accounting"]')
    const bad = {
      'for no audience': forNobody,
      'for another audience': forOthers,
      'claims changed': [head, Buffer.from(asBob).toString('base64url'), signature].join('.'),
      unsigned: [Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url'), claims, ''].join('.'),
      'an ID token': await tokenOf(keycloak, 'alice', { scope: 'openid', kind: 'id_token' }),
      'a refresh token': await tokenOf(keycloak, 'alice', { kind: 'refresh_token' }),
      'not a token': 'alice',
    }
    for (const [what, token] of Object.entries(bad)) {
      for (const [era, request] of eras) {
        const { status, challenge, text } = await ask(house.url('sre'), proven(request, bearer(token)))
        assert.deepEqual([what, era, status], [what, era, 401])
        assert.match(challenge, /error="invalid_token"/, what)
        assert.ok(!text.includes(token) && !challenge.includes(token), `${what}: the reply holds the token`)
      }
    }
    const inQuery = `${house.url('sre')}?access_token=${good}`
    assert.notEqual((await ask(inQuery, firstRequests.legacy)).status, 200)
    for (const token of [good, ...Object.values(bad).filter((one) => one.length > 20)])
      assert.ok(!house.gateway.log().includes(token.split('.').at(-1) || token), 'the log holds a token')
  })

  await t.test('a program of its own, in no group, finds no door but the open one', async () => {
    const proof = bearer(await ownToken(keycloak))
    for (const [, request] of eras) {
      assert.equal((await ask(house.url('sre'), proven(request, proof))).status, 403)
      assert.equal((await ask(house.url('everything'), proven(request, proof))).status, 200)
    }
  })
}

/** A token without the scope that an endpoint asks for. */
export async function scopeTests(t: TestContext, keycloak: Keycloak, office: Office): Promise<House> {
  const house = await openHouse(t, office, byGroup, async (urls) => {
    await addAudiences(keycloak, urls)
    const issuer = `{ issuer: "${keycloak.issuer}", audiences: [${quoted(urls)}], scopes: ["${toolsScope}"] }`
    return `{ jwt: [${issuer}], mcp: { provider: keycloak } }`
  })
  await t.test('a token without the scope: 403 that names it, and with it 200', async () => {
    const without = bearer(await tokenOf(keycloak, 'alice'))
    const withIt = bearer(await tokenOf(keycloak, 'alice', { scope: toolsScope }))
    for (const [, request] of eras) {
      const none = await ask(house.url('sre'), request)
      assert.equal(none.status, 401)
      assert.match(none.challenge, /scope="mcp:tools"/)
      const short = await ask(house.url('sre'), proven(request, without))
      assert.equal(short.status, 403)
      assert.match(short.challenge, /error="insufficient_scope"/)
      assert.match(short.challenge, /scope="mcp:tools"/)
      assert.match(short.challenge, /resource_metadata="[^"]+\/mcp\/sre"/)
      assert.equal((await ask(house.url('sre'), proven(request, withIt))).status, 200)
    }
    const metadata = await fetch(`${house.gateway.origin}/.well-known/oauth-protected-resource/mcp/sre`)
    assert.deepEqual(((await metadata.json()) as Record<string, unknown>)['scopes_supported'], [toolsScope])
  })
  return house
}

export function quoted(urls: readonly string[]): string {
  return urls.map((url) => `"${url}"`).join(', ')
}

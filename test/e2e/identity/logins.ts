import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { textOf } from '../setup/clients.ts'
import type { Keycloak } from '../setup/keycloak.ts'
import { type Known, type Login, programs } from './oauth-client.ts'
import { type Agent, type Office, shownTo } from './office.ts'
import { byGroup, type House, openHouse } from './open-house.ts'
import { addAudiences, clients, type Person, toolsScope } from './realm.ts'
import { tokenOf } from './tokens.ts'
import { quoted } from './tokens-of-keycloak.ts'

const agentOf: Readonly<Record<Person, Agent>> = { alice: 'sre', bob: 'accountant' }

/**
 * Programs that know nothing but the endpoint's URL: from the 401 to the tools, through Keycloak's own pages.
 * @param scoped a house that asks for a scope
 */
export async function loginTests(t: TestContext, keycloak: Keycloak, office: Office, scoped: House): Promise<void> {
  const open = (mcp: string) =>
    openHouse(t, office, byGroup, async (urls) => {
      await addAudiences(keycloak, urls)
      return `{ jwt: [{ issuer: "${keycloak.issuer}", audiences: [${quoted(urls)}] }], mcp: { ${mcp} } }`
    })
  const plain = await open('provider: keycloak')
  const shared = await open(`provider: keycloak, clientId: ${clients.shared.clientId}`)
  const known: Known = { issuer: keycloak.issuer, clientId: clients.desk.clientId }

  for (const [name, login] of Object.entries(programs)) {
    await t.test(`${name} registers itself, and its person logs in and consents`, async () => {
      for (const person of ['alice', 'bob'] as const) {
        const made = await login(plain.url(agentOf[person]), person)
        assert.deepEqual(made.pages, ['login', 'consent'])
        assert.ok(!Object.values(clients).some(({ clientId }) => clientId === made.clientId))
        await isIn(made, plain, person, keycloak)
      }
    })
    await t.test(`${name} has an id that Keycloak knows`, async () => {
      const made = await login(plain.url('sre'), 'alice', known)
      assert.deepEqual(made.pages, ['login'])
      assert.equal(made.clientId, clients.desk.clientId)
      await isIn(made, plain, 'alice', keycloak)
    })
    await t.test(`${name} is given the document's id where it would register`, async () => {
      const made = await login(shared.url('accountant'), 'bob')
      assert.deepEqual(made.pages, ['login'])
      assert.equal(made.clientId, clients.shared.clientId)
      await isIn(made, shared, 'bob', keycloak)
    })
    await t.test(`${name} registers with the scope that the endpoint asks for`, async () => {
      const made = await login(scoped.url('sre'), 'alice')
      assert.deepEqual(made.pages, ['login', 'consent'])
      assert.ok(made.authorizationUrl.searchParams.get('scope')?.split(' ').includes(toolsScope))
      await isIn(made, scoped, 'alice', keycloak)
    })
    await t.test(`${name} has a token without that scope, and goes for another`, async () => {
      const token = { access_token: await tokenOf(keycloak, 'alice'), token_type: 'Bearer', scope: '' }
      const made = await login(scoped.url('sre'), 'alice', { ...known, token })
      assert.equal(made.authorizationUrl.searchParams.get('scope')?.split(' ')[0], toolsScope)
      await isIn(made, scoped, 'alice', keycloak)
    })
  }

  await t.test('whoever logs in as somebody else is somebody else', async () => {
    const login = programs['TypeScript SDK 2, modern']
    assert.ok(login !== undefined)
    await assert.rejects(login(plain.url('sre'), 'bob', known), /403|may not use agent/)
  })
}

/** It went to Keycloak itself as the specification has it, and has its few tools, which work. */
async function isIn({ client, authorizationUrl, clientId }: Login, house: House, person: Person, keycloak: Keycloak): Promise<void> {
  const agent = agentOf[person]
  const asked = authorizationUrl.searchParams
  assert.equal(`${authorizationUrl.origin}${authorizationUrl.pathname}`, `${keycloak.issuer}/protocol/openid-connect/auth`)
  assert.deepEqual(
    [asked.get('client_id'), asked.get('code_challenge_method'), asked.get('resource'), asked.get('response_type')],
    [clientId, 'S256', house.url(agent), 'code'],
  )
  assert.deepEqual(
    (await client.listTools()).tools.map(({ name }) => name),
    shownTo[agent],
  )
  const [tool = ''] = shownTo[agent]
  assert.match(textOf(await client.callTool({ name: tool, arguments: {} })), / did /)
  await client.close()
}

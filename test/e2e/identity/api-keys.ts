import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { ask, bearer, firstRequests, type Headers, proven } from './eras.ts'
import { type Agent, type Office, openOffice } from './office.ts'
import { openHouse } from './open-house.ts'
import { tellStory } from './story.ts'

const keys: Readonly<Record<Agent, string>> = { sre: 'key-of-the-night-shift', accountant: 'key-of-the-closing-run' }
const teams: Readonly<Record<Agent, string>> = { sre: 'ops', accountant: 'books' }

const access = { sre: 'apiKey.team == "ops"', accountant: 'apiKey.team == "books"' }

const digest = (key: string) => createHash('sha256').update(key).digest('hex')
const entry = (agent: Agent) => `{ id: ${agent}-bot, sha256: ${digest(keys[agent])}, claims: { team: ${teams[agent]} } }`

/** The story with keys in place of tokens. */
export async function apiKeyTests(t: TestContext): Promise<void> {
  const office: Office = await openOffice(t)
  const house = await openHouse(t, office, access, () => `{ apiKeys: [${entry('sre')}, ${entry('accountant')}] }`)
  const ways: Readonly<Record<string, (key: string) => Headers>> = { 'X-API-Key': (key) => ({ 'x-api-key': key }), Bearer: bearer }
  for (const [way, headers] of Object.entries(ways)) {
    await t.test(`keys as ${way}`, (t) => tellStory(t, house, office, (agent) => headers(keys[agent])))
  }
  await t.test('a key that nobody has, and none: 401 without a place to log in', async () => {
    for (const headers of [bearer('key-of-nobody'), { 'x-api-key': 'key-of-nobody' }, {}]) {
      for (const request of Object.values(firstRequests)) {
        const { status, challenge } = await ask(house.url('sre'), proven(request, headers))
        assert.equal(status, 401)
        assert.match(challenge, /^Bearer /)
        assert.doesNotMatch(challenge, /resource_metadata/)
      }
    }
    assert.doesNotMatch(house.gateway.log(), /key-of-/)
  })
}

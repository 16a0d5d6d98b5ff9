import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import type { Question } from './gateway.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { openServers } from './transcripts/scripted-server.ts'

async function open(t: TestContext) {
  const offers = new Map([['tools', ['x', 'y', 'z']]])
  const servers = await openServers([{ name: 'a', kind: 'modern', offers }])
  for (const server of servers.byName.values()) server.isPlaying = false
  const config = configOf(`
servers: { a: "${servers.url}/a", gone: "http://127.0.0.1:9/" }
policies: { authenticate: { mode: optional, jwt: [{ issuer: https://id.example, audiences: [a], jwks: { inline: '{"keys":[]}' } }] } }
agents:
  sre:
    tools: ["a_*", "gone_*", "!a_z"]
    access: '"sre" in jwt.groups'
    policies: { authorize: { allow: ['mcp.tool.name != "y"'], deny: ['has(mcp.tool.arguments.force)'] } }
  own: { path: /mcp, tools: [a_x], policies: { authenticate: { apiKeys: [{ id: ci, sha256: ${'ab'.repeat(32)}, claims: { team: sre } }] }, authorize: { require: ['apiKey.team == "sre"'] } } }
  lost: {}
  twice: { tools: [a_x] }
routes:
- { name: r, rules: [{ backends: [{ agent: sre }] }] }
- { name: one, rules: [{ matches: [{ path: { value: /one } }], backends: [{ agent: twice }] }] }
- { name: two, policies: { authorize: { deny: ["true"] } }, rules: [{ matches: [{ path: { value: /two } }], backends: [{ agent: twice }] }] }
`)
  const { gateway, close } = await openGateway(config, openListener)
  t.after(async () => {
    await close()
    servers.close()
  })
  await gateway.settled()
  const ask = async (question: Question) => {
    const { outcome, mayBeRefused, steps } = await gateway.explain(question)
    const last = steps.at(-1)
    assert.ok(last)
    assert.ok(steps.slice(0, -1).every((step) => step.isPassed))
    assert.equal(last.isPassed, outcome === 'allowed')
    return [outcome, last.layer, last.place, ...(mayBeRefused ? ['may be refused'] : [])]
  }
  return { ask, gateway }
}

const sre = '{"groups":["sre"]}'
const rules = 'agents.sre.policies.authorize'

test('the first layer that says no is told, with its place; else all of them', async (t) => {
  const { ask } = await open(t)
  const rows: readonly (readonly [Question, readonly string[]])[] = [
    [{ agent: 'sre', tool: 'a_x', claims: sre }, ['allowed', 'authorize', `${rules}.allow[0]`, 'may be refused']],
    [{ agent: 'sre', tool: 'a_x', claims: sre, args: '{}' }, ['allowed', 'authorize', `${rules}.allow[0]`]],
    [{ agent: 'sre', tool: 'a_x', claims: sre, args: '{"force":1}' }, ['refused', 'authorize', `${rules}.deny[0]`]],
    [{ agent: 'sre', tool: 'a_y', claims: sre }, ['hidden', 'authorize', `${rules}.allow`]],
    [{ agent: 'sre', tool: 'a_z', claims: sre }, ['hidden', 'selection', 'agents.sre.tools[2]']],
    [{ agent: 'sre', tool: 'a_w', claims: sre }, ['unknown', 'catalog', 'agents.sre.from']],
    [{ agent: 'sre', tool: 'a_x', claims: '{"groups":[]}' }, ['refused', 'access', 'agents.sre.access']],
    [{ agent: 'sre', tool: 'a_x' }, ['refused', 'access', 'agents.sre.access']],
    [{ agent: 'own', tool: 'a_x', apiKey: 'ci' }, ['allowed', 'authorize', 'agents.own.policies.authorize']],
    [{ agent: 'own', tool: 'a_x', claims: '{}' }, ['refused', 'authenticate', 'agents.own.policies.authenticate']],
    [{ agent: 'own', tool: 'a_x', apiKey: 'other' }, ['refused', 'authenticate', 'agents.own.policies.authenticate']],
    [{ agent: 'sre', tool: 'a_x', apiKey: 'ci' }, ['refused', 'authenticate', 'policies.authenticate']],
    [{ agent: 'own', tool: 'a_y', apiKey: 'ci' }, ['hidden', 'selection', 'agents.own.tools']],
    [{ agent: 'own', tool: 'a_x' }, ['refused', 'authenticate', 'agents.own.policies.authenticate']],
    [{ agent: 'own', tool: 'a_x', token: 'wrong' }, ['refused', 'authenticate', 'agents.own.policies.authenticate']],
    [{ agent: 'lost', tool: 'a_x' }, ['hidden', 'route', '']],
    [{ agent: 'nobody', tool: 'a_x' }, ['hidden', 'route', '']],
  ]
  for (const [question, expected] of rows) assert.deepEqual(await ask(question), expected, JSON.stringify(question))
})

test('ways on which it comes out otherwise are told', async (t) => {
  const { gateway } = await open(t)
  const { outcome, elsewhere } = await gateway.explain({ agent: 'twice', tool: 'a_x' })
  assert.deepEqual([outcome, elsewhere], ['allowed', [{ route: 'two', path: '/two', listener: 'default', outcome: 'hidden' }]])
})

test('of a tool whose server is away nothing is said but that; other servers that are away do not matter', async (t) => {
  const { gateway } = await open(t)
  const { outcome, steps } = await gateway.explain({ agent: 'sre', tool: 'gone_x', claims: sre })
  assert.equal(outcome, 'not-judged')
  assert.match(steps.at(-1)?.text ?? '', /^whether there is a tool "gone_x" is not known: gone is down: /)
})

test('of a tool that no server has the one that was probably meant is told', async (t) => {
  const { gateway } = await open(t)
  for (const [tool, meant] of [
    ['ax', 'a_x'],
    ['x', 'a_x'],
    ['somewhere_else', undefined],
  ] as const) {
    const { outcome, nearest } = await gateway.explain({ agent: 'sre', tool, claims: sre })
    assert.deepEqual([outcome, nearest], ['unknown', meant], tool)
  }
})

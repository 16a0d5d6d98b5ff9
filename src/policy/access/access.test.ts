import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Caller, type Head, readJson } from '../../mcp/mcp.ts'
import type { DecidingRule } from '../seam.ts'
import { createAccessPolicy } from './access.ts'

const place = 'agents.sre.access'
const claims = readJson('{"sub":"u","groups":["sre","dev"]}', { depth: 64, tokens: 100 })
assert.ok(claims.kind === 'value' && claims.value instanceof Map)
const user: Caller = {
  kind: 'jwt',
  id: 'c',
  subject: 'u',
  issuer: undefined,
  actors: [],
  claims: claims.value,
  expiresAtMs: Number.POSITIVE_INFINITY,
}
const head: Head = { method: 'POST', path: '/mcp', query: '', host: '', listener: '', remote: '10.0.0.1', header: () => undefined }

test('who may use an agent', () => {
  const admits = (rule: string) => createAccessPolicy({ agent: 'sre', rule, place }).admit?.({ caller: user, head })
  const by = (text: string, because: DecidingRule['because']) => ({ place, text, because })
  const refusal = { kind: 'refused', reason: 'access', text: 'this caller may not use agent "sre": its `access` says no' }
  assert.deepEqual(admits('"sre" in jwt.groups'), { kind: 'pass', by: by('"sre" in jwt.groups', 'allowed') })
  for (const [rule, because] of [
    ['jwt.sub == "x"', 'not-allowed'],
    ['jwt.role == "x"', 'error'],
    ['jwt.sub', 'error'],
  ] as const) {
    assert.deepEqual(admits(rule), { ...refusal, by: by(rule, because) })
  }
  const access = createAccessPolicy({ agent: 'sre', rule: 'request.headers["x-team"] == "a"', place })
  const team = (name: string) => access.admit?.({ caller: user, head: { ...head, header: () => name } }).kind
  assert.deepEqual([team('a'), team('b')], ['pass', 'refused'])
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type Ask, maxIdChars, maxSealedIdChars } from '../mcp/mcp.ts'
import { configOf } from './open-for-test.ts'
import { createSeals } from './seals.ts'
import { createAsks } from './sessions/sessions.ts'

test('the longest id of a server, however it is written, is sealed into one that a client may send back', () => {
  const seals = createSeals({ random: randomBytes, secret: () => '', now: Date.now })(configOf('servers: {}'))
  const asks = createAsks(() => seals.asks, 'one')
  const scope = { route: 'r', caller: 'c', session: 's' }
  for (const char of ['x', '漢', '\\u6f22', '\\"']) {
    const id = `"${char.repeat(maxIdChars)}"`
    const ask: Ask = { method: 'roots/list', params: '{}', server: 'default/math', id, reply() {}, onWithdrawn() {} }
    const sealed = asks.relayed(scope, ask)
    assert.ok(sealed.length <= maxSealedIdChars, `${char} ${sealed.length}`)
    assert.deepEqual(asks.take(scope, JSON.parse(sealed), '"result":{}'), { kind: 'relay', server: 'default/math', id })
  }
})

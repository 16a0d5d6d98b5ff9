import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalReply, refuse } from './refusal.ts'

test('an error has the id of its request, or null where that is not known, in either era', () => {
  for (const era of ['legacy', 'modern'] as const)
    for (const [id, expected] of [
      ['7', 7],
      ['"a"', 'a'],
      [undefined, null],
    ] as const) {
      const { status, body } = refusalReply(refuse('unauthenticated', 'who are you?'), id, 'r1', era)
      const error = { code: -32600, message: 'who are you?', data: { requestId: 'r1' } }
      assert.deepEqual([status, JSON.parse(body)], [401, { jsonrpc: '2.0', id: expected, error }])
    }
})

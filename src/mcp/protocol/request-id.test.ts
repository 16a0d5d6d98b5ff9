import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanMessage } from '../mcp.ts'
import { isRequestId, isWithinIdBound } from './request-id.ts'

function idOf(id: string) {
  const message = scanMessage(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`, { depth: 10, tokens: 100 })
  if (message.kind === 'fault') throw new Error(message.text)
  const found = message.top.find(({ key }) => key === 'id')
  assert.ok(found)
  return { isId: isRequestId(message.text, found), isWithin: isWithinIdBound(message.text, found) }
}

const good = { isId: true, isWithin: true }

test('an id is a string or an integer', () => {
  for (const id of ['7', '-1', '0', '""', '"a"']) assert.deepEqual(idOf(id), good, id)
  for (const id of ['1.5', '1e3', '-0.0', 'null', 'true', '{}', '[]']) assert.equal(idOf(id).isId, false, id)
})

test('an id may have 1,024 characters, its quotes and escapes not counted', () => {
  for (const char of ['x', 'é', '漢', '\\u00e9', '\\"', '\\\\']) {
    assert.deepEqual(idOf(`"${char.repeat(1024)}"`), good, char)
    assert.equal(idOf(`"${char.repeat(1025)}"`).isWithin, false, char)
  }
  assert.deepEqual([idOf('9'.repeat(1024)).isWithin, idOf('9'.repeat(1025)).isWithin], [true, false])
  assert.equal(idOf(`"${'\\u00e9'.repeat(100_000)}"`).isWithin, false)
})

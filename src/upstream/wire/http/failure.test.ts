import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from './failure.ts'

for (const [code, isSent, isBeforeReply, failure, text] of [
  ['ECONNRESET', false, true, 'unreachable', "can't be reached: ECONNRESET"],
  ['', false, true, 'unreachable', "can't be reached"],
  // The request can't be written, wherever it goes: another one can be.
  ['UND_ERR_INVALID_ARG', false, true, 'broken', 'broke the connection before it answered: UND_ERR_INVALID_ARG'],
  ['ECONNREFUSED', true, true, 'broken', 'broke the connection before it answered: ECONNREFUSED'],
  ['UND_ERR_SOCKET', true, false, 'broken', 'broke the connection in the middle of its answer: UND_ERR_SOCKET'],
] as const)
  test(`${code === '' ? 'an error without a code' : code}, sent: ${isSent}, is ${failure}`, () => {
    const error = code === '' ? new Error('x') : Object.assign(new Error('x'), { code })
    assert.deepEqual(failureOf(error, isSent, isBeforeReply), { kind: 'failed', failure, text })
  })

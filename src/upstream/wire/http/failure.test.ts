import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureOf } from './failure.ts'

for (const [code, isSent, isBeforeReply, failure, text] of [
  ['ECONNRESET', false, true, 'unreachable', "can't be reached: connection closed by the other side (ECONNRESET)"],
  ['EMFILE', false, true, 'unreachable', "can't be reached: EMFILE"],
  ['', false, true, 'unreachable', "can't be reached"],
  // The request can't be written, wherever it goes: another one can be.
  ['UND_ERR_INVALID_ARG', false, true, 'broken', 'broke the connection before it answered: UND_ERR_INVALID_ARG'],
  ['ECONNREFUSED', true, true, 'broken', 'broke the connection before it answered: connection refused (ECONNREFUSED)'],
  [
    'UND_ERR_SOCKET',
    true,
    false,
    'broken',
    'broke the connection in the middle of its answer: connection closed by the other side (UND_ERR_SOCKET)',
  ],
] as const)
  test(`${code === '' ? 'an error without a code' : code}, sent: ${isSent}, is ${failure}`, () => {
    const error = code === '' ? new Error('x') : Object.assign(new Error('x'), { code })
    const { remedy, ...rest } = failureOf(error, isSent, isBeforeReply, 'host.example:80')
    assert.deepEqual(rest, { kind: 'failed', failure, text })
    if (remedy !== undefined) assert.match(remedy, /host\.example:80/)
  })

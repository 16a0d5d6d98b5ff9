import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bookmark, event, status } from './fake-api-for-test.ts'
import { readWatchEvent } from './watch-event.ts'

test('what a line of a watch says', () => {
  const { object } = event('ADDED', 'a', 5)
  const incomprehensible = (type: string) => ({
    kind: 'error',
    text: `sent an event that can't be understood: ${type}`,
    retryAfterMs: undefined,
  })
  const rows: readonly [unknown, unknown][] = [
    [event('ADDED', 'a', 5), { kind: 'set', object, key: 'ns/a', revision: '5' }],
    [event('MODIFIED', 'a', 5), { kind: 'set', object, key: 'ns/a', revision: '5' }],
    [event('DELETED', 'a', 5), { kind: 'deleted', object, key: 'ns/a', revision: '5' }],
    [bookmark(7), { kind: 'bookmark', revision: '7', endsInitialEvents: false }],
    [bookmark(7, true), { kind: 'bookmark', revision: '7', endsInitialEvents: true }],
    [
      { type: 'ERROR', object: status(410, 'too old') },
      { kind: 'expired', text: 'too old' },
    ],
    [
      { type: 'ERROR', object: { ...status(500, 'too old'), reason: 'Expired' } },
      { kind: 'expired', text: 'too old' },
    ],
    [
      { type: 'ERROR', object: status(429, 'slow down', { details: { retryAfterSeconds: 3 } }) },
      { kind: 'error', text: 'slow down', retryAfterMs: 3000 },
    ],
    [
      { type: 'ERROR', object: null },
      { kind: 'error', text: 'sent an error without a message', retryAfterMs: undefined },
    ],
    [{ type: 'PAUSED', object }, incomprehensible('PAUSED')],
    [{ type: 'ADDED', object: { metadata: { name: 'a' } } }, incomprehensible('ADDED')],
    [status(503, 'starting'), incomprehensible('undefined')],
    [null, incomprehensible('undefined')],
    ['ADDED', incomprehensible('undefined')],
  ]
  for (const [line, expected] of rows) assert.deepEqual(readWatchEvent(line), expected, JSON.stringify(line))
})

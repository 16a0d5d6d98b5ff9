import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventStream, Head } from '../../mcp/mcp.ts'
import { type Origin, ReplyStream } from './reply-stream.ts'

interface Options {
  readonly accept?: string | undefined
  readonly canStream?: boolean
}

/** A request whose client takes a stream unless it is said otherwise; what was opened and written in its reply. */
function open({ accept, canStream = true }: Options = {}) {
  const written: string[] = []
  let opened = 0
  let isClosed = false
  const events: EventStream = {
    write(text) {
      written.push(text)
    },
    push: (text) => events.write(text),
    drained: () => undefined,
    end() {
      isClosed = true
    },
    get isClosed() {
      return isClosed
    },
  }
  const header = (name: string) => (name === 'accept' ? accept : undefined)
  const head: Head = { method: 'POST', path: '/mcp', query: '', host: 'h', listener: 'l', remote: '192.0.2.7', header }
  const stream: Origin['stream'] = () => {
    opened++
    return events
  }
  const reply = new ReplyStream({ head, requestId: 'r', stream: canStream ? stream : undefined })
  return { reply, written, opened: () => opened, isEnded: () => isClosed, close: () => events.end() }
}

test('nothing is opened until something is sent; then the answer follows on the same stream', () => {
  const { reply, written, opened, isEnded } = open()
  assert.deepEqual([reply.canStream, reply.isOpen, opened()], [true, false, 0])
  assert.ok(reply.write('{"a":1}'))
  assert.ok(reply.write('{"a":2}'))
  assert.deepEqual([reply.canStream, reply.isOpen, opened(), isEnded()], [true, true, 1, false])
  reply.end('{"b":1}')
  assert.deepEqual([opened(), isEnded()], [1, true])
  assert.deepEqual(written, ['data: {"a":1}\n\n', 'data: {"a":2}\n\n', 'data: {"b":1}\n\n'])
})

test('a stream ends without an answer where there is none', () => {
  const { reply, written, isEnded } = open()
  reply.write('{}')
  reply.end()
  assert.deepEqual([written.length, isEnded()], [1, true])
})

for (const [why, options] of [
  ['a client that takes JSON alone', { accept: 'application/json' }],
  ['a place in a batch', { canStream: false }],
] as const)
  test(`${why} gets nothing before the answer`, () => {
    const { reply, opened } = open(options)
    assert.equal(reply.canStream, false)
    assert.equal(reply.write('{}'), false)
    assert.deepEqual([reply.isOpen, opened()], [false, 0])
  })

test('nothing is sent, and no stream opened, once the client has gone', () => {
  const { reply, opened } = open()
  reply.leave()
  assert.equal(reply.write('{}'), false)
  assert.equal(opened(), 0)
})

test('a stream that the client has closed, or left, takes nothing more', () => {
  const closed = open()
  assert.ok(closed.reply.write('{}'))
  closed.close()
  assert.equal(closed.reply.write('{}'), false)
  const left = open()
  assert.ok(left.reply.write('{}'))
  left.reply.leave()
  assert.equal(left.reply.write('{}'), false)
  assert.deepEqual([closed.written.length, left.written.length], [1, 1])
})

test('who listens hears that the client goes, at once where it has; one listener at a time', () => {
  const { reply } = open()
  const heard: string[] = []
  const hear = (who: string) => reply.onLeave(() => void heard.push(who))
  hear('first')
  hear('second')
  assert.equal(heard.join(), '')
  reply.leave()
  assert.equal(heard.join(), 'second')
  hear('third')
  reply.onLeave(undefined)
  assert.equal(heard.join(), 'second,third')
})

test('who has stopped to listen hears nothing', () => {
  const { reply } = open()
  reply.onLeave(() => assert.fail('it has stopped to listen'))
  reply.onLeave(undefined)
  reply.leave()
})

test('an abandoned reply ends without a message, opened for it or open before', () => {
  for (const before of [0, 1]) {
    const { reply, written, opened, isEnded } = open()
    if (before === 1) reply.write('{}')
    reply.abandon()
    assert.deepEqual([written.length, opened(), isEnded()], [before, 1, true])
  }
  open({ canStream: false }).reply.abandon()
})

test('the peer’s address is that of the request', () => assert.equal(open().reply.remote, '192.0.2.7'))

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventStream } from '../../mcp/mcp.ts'
import { type ChangeStream, createChangeStreams } from './change-streams.ts'

/** A stream that remembers what was written to it; `leave` is the client closing it. */
function stream(route: string, more: Partial<ChangeStream<string>> = {}) {
  const written: string[] = []
  let isClosed = false
  let leave = () => {}
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
  const own: ChangeStream<string> = {
    place: route,
    session: undefined,
    holder: 'h',
    expiresAtMs: Number.POSITIVE_INFINITY,
    events,
    changed: { tools: 'changed' },
    goodbye: undefined,
    ...more,
  }
  const onGone = (listener: () => void) => {
    leave = listener
  }
  return { own, written, isEnded: () => isClosed, leave: () => leave(), onGone }
}

/** Lists by route, as a test sets them. @param elapsed how the work of one look seems to take; at once where it is left out */
function open(max = 2, revisions: Record<string, string | undefined> = { a: '1', b: '1' }, elapsed: () => number = () => 0) {
  const revisionsOf = (route: string) => {
    const revision = revisions[route]
    return revision === undefined ? undefined : { tools: revision, prompts: 'p', resources: revisions['resources'] ?? 'r' }
  }
  const streams = createChangeStreams<string>(() => max, revisionsOf, Date.now, undefined, elapsed)
  const add = (one: ReturnType<typeof stream>) => streams.add(one.own, one.onGone)
  return { streams, revisions, add }
}

test('a change is told once, to those whose own list changed, and so many are counted', async () => {
  const { streams, revisions, add } = open()
  const [a, b, deaf] = [stream('a'), stream('b'), stream('a', { changed: {} })]
  for (const one of [a, b, deaf]) add(one)
  streams.look()
  assert.deepEqual(a.written, [])
  revisions['a'] = '2'
  const looks = [streams.look(), streams.look()]
  assert.deepEqual([a.written, b.written, deaf.written], [['changed'], [], []])
  await Promise.all(looks)
  assert.equal(streams.toldCount, 1)
  revisions['a'] = '1'
  streams.look()
  assert.deepEqual(a.written, ['changed', 'changed'])
})

test('of the streams of one session the newest is told, and none outlives the session', () => {
  const { streams, revisions, add } = open(9)
  const [first, second, other] = [stream('a', { session: 's' }), stream('a', { session: 's' }), stream('a', { session: 't' })]
  for (const one of [first, second, other]) add(one)
  revisions['a'] = '2'
  streams.look()
  assert.deepEqual([first.written, second.written, other.written], [[], ['changed'], ['changed']])
  streams.endSession('s')
  assert.deepEqual([first.isEnded(), second.isEnded(), other.isEnded(), streams.size], [true, true, false, 1])
})

test('the bound is one holder’s; a stream that goes makes room', () => {
  const { streams, add } = open(2)
  const [one, two] = [stream('a'), stream('b')]
  assert.equal(streams.mayOpen('h'), undefined)
  add(one)
  add(two)
  const refusal = streams.mayOpen('h')
  assert.deepEqual([refusal?.reason, refusal?.headers], ['limited', { 'retry-after': '5' }])
  assert.equal(streams.mayOpen('other'), undefined)
  one.leave()
  one.leave()
  assert.equal(streams.mayOpen('h'), undefined)
  assert.equal(streams.size, 1)
  add(stream('a'))
  assert.ok(streams.mayOpen('h'))
})

test('a route that is gone ends its streams, with a goodbye where the era has one', () => {
  const { streams, revisions, add } = open()
  const [a, b] = [stream('a', { goodbye: 'bye' }), stream('b')]
  add(a)
  add(b)
  revisions['a'] = undefined
  streams.look()
  assert.deepEqual([a.written, a.isEnded(), b.isEnded(), streams.size], [['bye'], true, false, 1])
})

test('draining ends all of them', () => {
  const { streams, add } = open()
  const [a, b] = [stream('a', { goodbye: 'bye' }), stream('b')]
  add(a)
  add(b)
  streams.endAll()
  assert.deepEqual([a.written, b.written, a.isEnded(), b.isEnded(), streams.size], [['bye'], [], true, true, 0])
  assert.equal(streams.mayOpen('h'), undefined)
})

test('each kind of list is told of on its own, and only to who asked for it', () => {
  const { streams, revisions, add } = open()
  const both = stream('a', { changed: { tools: 'T', prompts: 'P', resources: 'R' } })
  const tools = stream('a')
  add(both)
  add(tools)
  revisions['resources'] = 'r2'
  streams.look()
  assert.deepEqual([both.written, tools.written], [['R'], []])
  revisions['a'] = '2'
  revisions['resources'] = 'r3'
  streams.look()
  assert.deepEqual([both.written, tools.written], [['R', 'T', 'R'], ['changed']])
})

test('every open stream is looked after, and hears of its end once, however it comes', () => {
  const { streams, revisions, add } = open(9)
  const calls: string[] = []
  const make = (name: string, route: string, session?: string) =>
    stream(route, { session, onLook: () => calls.push(`look ${name}`), onEnd: () => calls.push(`end ${name}`) })
  const [gone, ended, dropped] = [make('gone', 'a'), make('ended', 'a', 's'), make('dropped', 'b')]
  for (const one of [gone, ended, dropped]) add(one)
  streams.look()
  assert.deepEqual(calls.splice(0), ['look dropped', 'look ended', 'look gone'])
  gone.leave()
  gone.leave()
  streams.endSession('s')
  revisions['b'] = undefined
  streams.look()
  streams.endAll()
  assert.deepEqual(calls, ['end gone', 'end ended', 'end dropped'])
})

test('the streams of one session are looked after alone', () => {
  const { streams, add } = open(9)
  const calls: string[] = []
  for (const [name, session] of [
    ['first', 's'],
    ['second', 's'],
    ['other', 't'],
    ['modern', undefined],
  ] as const)
    add(stream('a', { session, onLook: () => calls.push(name) }))
  streams.tend('s')
  assert.deepEqual(calls, ['first', 'second'])
})

test('a look that takes long lets other work go first, and what changes meanwhile is told too', async () => {
  let atMs = 0
  const { streams, revisions, add } = open(9, { a: '1' }, () => {
    atMs += 10
    return atMs
  })
  const [first, second] = [stream('a'), stream('a')]
  for (const one of [first, second]) add(one)
  revisions['a'] = '2'
  streams.look()
  assert.deepEqual([first.written, second.written], [[], ['changed']])
  revisions['a'] = '3'
  streams.look()
  const told = () => first.written.length + second.written.length
  for (let turns = 0; turns < 10 && told() < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([first.written, second.written, streams.toldCount], [['changed'], ['changed', 'changed'], 3])
})

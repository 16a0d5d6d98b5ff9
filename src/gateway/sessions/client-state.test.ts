import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientSession } from '../../mcp/mcp.ts'
import { createClientStates } from './client-state.ts'

const maxStates = 20_000

const sessionOf = (key: string): ClientSession => ({ key, capabilities: 0, upstreamSession: () => undefined })

/** States of the sessions `0`, `1` and so on. */
function fill(count = maxStates) {
  const states = createClientStates()
  for (let n = 0; n < count; n++) states.get(sessionOf(`${n}`))
  return { states, has: (key: string) => states.find(sessionOf(key)) !== undefined }
}

/** Watches of a session under these URIs; the list of those that were stopped. */
function watch(states: ReturnType<typeof createClientStates>, key: string, ...uris: readonly string[]): readonly string[] {
  const stopped: string[] = []
  const { watches } = states.get(sessionOf(key))
  for (const uri of uris)
    watches.set(uri, { isGranted: Promise.resolve(true), upstream: undefined, renew() {}, stop: () => void stopped.push(uri) })
  return stopped
}

test('a session’s state is made once and is the same from then on', () => {
  const states = createClientStates()
  const session = sessionOf('a')
  assert.equal(states.find(session), undefined)
  const state = states.get(session)
  assert.deepEqual([state.session, state.level, state.watches.size, state.events], [session, undefined, 0, undefined])
  state.level = 'error'
  assert.equal(states.get(sessionOf('a')), state)
  assert.equal(states.find(sessionOf('a')), state)
  assert.equal(states.find(sessionOf('b')), undefined)
})

test('the end of a session stops its watches and forgets it, and nobody else’s', () => {
  const { states, has } = fill(2)
  const [mine, other] = [watch(states, '0', 'x', 'y'), watch(states, '1', 'x')]
  states.end('0')
  assert.deepEqual([mine, other], [['x', 'y'], []])
  assert.deepEqual([has('0'), has('1')], [false, true])
  states.end('0')
  states.end('never there')
  assert.deepEqual(mine, ['x', 'y'])
})

test('the longest unused makes room for one more than the bound, and its watches are stopped', () => {
  const { states, has } = fill()
  const stopped = watch(states, '0', 'x', 'y')
  for (let n = 1; n < maxStates; n++) states.get(sessionOf(`${n}`))
  assert.deepEqual([has('0'), stopped], [true, []])
  states.get(sessionOf('one more'))
  assert.deepEqual([has('0'), has('1'), has('one more')], [false, true, true])
  assert.deepEqual(stopped, ['x', 'y'])
})

test('who was used since stays; to be looked for is no use', () => {
  const { states, has } = fill()
  states.get(sessionOf('0'))
  states.find(sessionOf('1'))
  states.get(sessionOf('one more'))
  assert.deepEqual([has('0'), has('1'), has('2')], [true, false, true])
})

test('one with an open stream stays, and makes room once its stream has ended', () => {
  const { states, has } = fill()
  const open = states.get(sessionOf('0'))
  open.events = { write() {}, push() {}, drained: () => undefined, end() {}, isClosed: false }
  for (let n = 1; n < maxStates; n++) states.get(sessionOf(`${n}`))
  states.get(sessionOf('one more'))
  assert.deepEqual([has('0'), has('1')], [true, false])
  open.events = undefined
  states.get(sessionOf('and one'))
  assert.deepEqual([has('0'), has('2')], [false, true])
})

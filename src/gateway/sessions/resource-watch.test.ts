import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type FakeUpstream, open as openCatalog, upstream } from '../../catalog/open-for-test.ts'
import { anonymous } from '../../mcp/mcp.ts'
import { configOf } from '../open-for-test.ts'
import type { Endpoint } from '../route/endpoint.ts'
import { createSeals } from '../seals.ts'
import { ResourceWatch } from './resource-watch.ts'

const config = configOf(JSON.stringify({ servers: { a: 'http://127.0.0.1:1/' } }))
const { sessions } = createSeals({ random: randomBytes, secret: () => '', now: () => 1 })(config)

/** A server called `s` that lists these; it says what is watched and what is not any more. */
function watched(log: string[], name: string, resources: readonly string[]) {
  const updates: ((uri: string) => void)[] = []
  const server: FakeUpstream = Object.assign(upstream('s', { resources }), {
    watch(uri: string, onUpdate: (uri: string) => void) {
      log.push(`${name} watches ${uri}`)
      updates.push(onUpdate)
      return { isGranted: Promise.resolve(true), stop: () => void log.push(`${name} stops ${uri}`) }
    },
  })
  return { server, update: (uri: string) => updates.at(-1)?.(uri) }
}

/** What a client sees of these servers. */
function endpointOf(servers: readonly FakeUpstream[], visible?: readonly string[]): Endpoint {
  const { catalog } = openCatalog(servers, visible && { selection: { resources: visible } })
  return {
    kind: 'catalog',
    name: 'r',
    catalog,
    endpoint: { route: 'r', serverInfo: { name: 'g', version: '1' }, offers: () => catalog.offers(), instructions: undefined, sessions },
    agent: undefined,
    backend: 'b',
    instructions: undefined,
    requestMs: undefined,
    caller: anonymous,
    entry: undefined,
  }
}

/** A watch of `s+note:1`; what the client is told comes into the log. */
function open(log: string[], first: Endpoint | undefined) {
  let to = first
  const watch = new ResourceWatch({
    endpointOf: () => to,
    uri: 's+note:1',
    onUpdate: (uri) => log.push(`told ${uri}`),
    onStop: () => log.push('stopped'),
  })
  return {
    watch,
    /** What `renew` does once the document says something else. */
    renewed(next: Endpoint | undefined) {
      log.length = 0
      to = next
      watch.renew()
      return log
    },
  }
}

test('a watch subscribes at its owner, under the name there', async () => {
  const log: string[] = []
  const { server } = watched(log, 'a', ['note:1'])
  const { watch } = open(log, endpointOf([server]))
  assert.deepEqual([log, watch.upstream, await watch.isGranted], [['a watches note:1'], server, true])
})

test('renewed where the owner is the same, it does nothing', () => {
  const log: string[] = []
  const { server } = watched(log, 'a', ['note:1'])
  const { renewed } = open(log, endpointOf([server]))
  assert.deepEqual(renewed(endpointOf([server])), [])
})

test('renewed where another has the resource, it stops at the old owner, subscribes at the new and tells one update', () => {
  const log: string[] = []
  const [a, b] = [watched(log, 'a', ['note:1']), watched(log, 'b', ['note:1'])]
  const { watch, renewed } = open(log, endpointOf([a.server]))
  const next = endpointOf([b.server])
  assert.deepEqual(renewed(next), ['a stops note:1', 'b watches note:1', 'told s+note:1'])
  assert.equal(watch.upstream, b.server)
  assert.deepEqual(renewed(next), [])
  b.update('note:1')
  assert.deepEqual(log, ['told s+note:1'])
})

for (const [where, gone] of [
  ['no server has the resource', endpointOf([])],
  ['the endpoint is gone', undefined],
] as const)
  test(`renewed where ${where}, it stops and tells nothing, until somebody has it again`, async () => {
    const log: string[] = []
    const a = watched(log, 'a', ['note:1'])
    const first = endpointOf([a.server])
    const { watch, renewed } = open(log, first)
    assert.deepEqual(renewed(gone), ['a stops note:1'])
    assert.deepEqual([watch.upstream, await watch.isGranted], [undefined, false])
    assert.deepEqual(renewed(gone), [])
    assert.deepEqual(renewed(first), ['a watches note:1', 'told s+note:1'])
  })

test('an update is told as what has changed, and as what is watched where the client can’t see that', () => {
  const log: string[] = []
  const a = watched(log, 'a', ['note:1', 'note:1/seen', 'note:1/hidden'])
  const { renewed } = open(log, endpointOf([a.server], ['s+note:1', 's+note:1/seen']))
  log.length = 0
  for (const uri of ['note:1', 'note:1/seen', 'note:1/hidden']) a.update(uri)
  assert.deepEqual(log, ['told s+note:1', 'told s+note:1/seen', 'told s+note:1'])
  renewed(undefined)
  log.length = 0
  a.update('note:1')
  assert.deepEqual(log, [])
})

test('stopped, it stops at its owner and says so', () => {
  const log: string[] = []
  const { server } = watched(log, 'a', ['note:1'])
  const { watch } = open(log, endpointOf([server]))
  log.length = 0
  watch.stop()
  assert.deepEqual(log, ['a stops note:1', 'stopped'])
})

test('stopped where nobody has the resource, it says so all the same', () => {
  const log: string[] = []
  const { watch } = open(log, undefined)
  watch.stop()
  assert.deepEqual(log, ['stopped'])
})

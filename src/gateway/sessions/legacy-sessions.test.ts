import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type FakeUpstream, open as openCatalog, upstream } from '../../catalog/open-for-test.ts'
import { createSealer } from '../../era/era.ts'
import { anonymous, type ClientSession, capability } from '../../mcp/mcp.ts'
import { configOf } from '../open-for-test.ts'
import type { Endpoint } from '../route/endpoint.ts'
import { createSeals } from '../seals.ts'
import { createAsks } from './asks.ts'
import { createClientStates } from './client-state.ts'
import { createLegacySessions } from './legacy-sessions.ts'
import { createWatchShares } from './watch-shares.ts'

interface Opening {
  readonly client: ClientSession
  readonly answer: (id: string | undefined) => void
}

/** A server with sessions; each that it is asked for is opened, or not, when the test says so. */
function keeping(name: string) {
  const openings: Opening[] = []
  const server: FakeUpstream = Object.assign(upstream(name, { tools: ['x'] }), {
    hasSessions: () => true,
    openSession: (client: ClientSession) =>
      new Promise<string | undefined>((resolve) => {
        openings.push({ client, answer: resolve })
      }),
  })
  return { server, openings, answer: (id: string | undefined) => openings.at(-1)?.answer(id) }
}

/** What only microtasks are needed for has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

function open(t: TestContext, servers: readonly FakeUpstream[]) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const config = configOf(JSON.stringify({ servers: { a: 'http://127.0.0.1:1/' } }))
  const { sessions } = createSeals({ random: randomBytes, secret: () => '', now: () => 1 })(config)
  const { catalog } = openCatalog(servers)
  const to: Endpoint = {
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
  const sealer = createSealer('ask', [{ id: 'k', secret: randomBytes(32) }], randomBytes)
  const legacy = createLegacySessions({
    clients: createClientStates(),
    asks: createAsks(() => sealer, 'p'),
    shares: createWatchShares(),
    now: () => nowMs,
    endpointOf: () => to,
  })
  return {
    pass(ms: number) {
      nowMs += ms
      t.mock.timers.tick(ms)
    },
    /** A client wants a session; `find` gives it as it was answered, undefined before that. */
    initialize(capabilities: number = capability.roots) {
      let id: string | undefined
      void legacy.initialize(to, { kind: 'initialize', id: '1', version: '2025-11-25', capabilities }).then(({ headers }) => {
        id = headers['mcp-session-id']
      })
      return async () => {
        await settled()
        return id === undefined ? undefined : sessions.find(id, { route: 'r', caller: anonymous.id })
      }
    },
  }
}

test('a client’s own sessions are opened with its capabilities, and sealed into its id', async (t) => {
  const [a, b] = [keeping('a'), keeping('b')]
  const c = upstream('c', { tools: ['x'] })
  const { initialize } = open(t, [a.server, b.server, c])
  const find = initialize(capability.roots | capability.sampling)
  assert.equal(await find(), undefined)
  b.answer('b-1')
  assert.equal(await find(), undefined)
  a.answer('a-1')
  const session = await find()
  assert.deepEqual(
    [a.server, b.server, c].map(({ key }) => session?.upstreamSession(key)),
    ['a-1', 'b-1', undefined],
  )
  for (const { openings } of [a, b]) assert.equal(openings[0]?.client.capabilities, session?.capabilities)
  assert.equal(a.openings[0]?.client.key, session?.key)
})

test('a server that does not open one holds the client up for two seconds; the others’ are sealed all the same', async (t) => {
  const [slow, good] = [keeping('slow'), keeping('good')]
  const { initialize, pass } = open(t, [slow.server, good.server])
  const find = initialize()
  await settled()
  good.answer('good-1')
  pass(1999)
  assert.equal(await find(), undefined)
  pass(1)
  const session = await find()
  assert.deepEqual(
    [slow, good].map(({ server }) => session?.upstreamSession(server.key)),
    [undefined, 'good-1'],
  )
  // What comes later is for the first call to find.
  slow.answer('slow-1')
  assert.equal((await find())?.upstreamSession(slow.server.key), undefined)
})

test('it does not hold up the clients after that, until thirty seconds have passed: then it is asked again', async (t) => {
  const { server, openings } = keeping('slow')
  const { initialize, pass } = open(t, [server])
  const first = initialize()
  await settled()
  pass(2000)
  assert.ok(await first())
  for (const ms of [1, 1000, 26_998]) {
    pass(ms)
    assert.ok(await initialize()(), `after ${ms} ms more`)
    assert.equal(openings.length, 1)
  }
  pass(1)
  const again = initialize()
  assert.equal(await again(), undefined)
  assert.equal(openings.length, 2)
  pass(2000)
  assert.ok(await again())
  pass(1)
  assert.ok(await initialize()())
  assert.equal(openings.length, 2)
})

test('once it has opened one it is asked for each client again', async (t) => {
  const { server, openings, answer } = keeping('slow')
  const { initialize, pass } = open(t, [server])
  const first = initialize()
  await settled()
  pass(2000)
  assert.ok(await first())
  answer('late')
  await settled()
  pass(1000)
  const second = initialize()
  await settled()
  assert.equal(openings.length, 2)
  answer('slow-2')
  assert.equal((await second())?.upstreamSession(server.key), 'slow-2')
})

test('one slow server holds up nobody’s session with another', async (t) => {
  const [slow, good] = [keeping('slow'), keeping('good')]
  const { initialize, pass } = open(t, [slow.server, good.server])
  initialize()
  await settled()
  good.answer('good-1')
  pass(2001)
  const second = initialize()
  await settled()
  assert.deepEqual([slow.openings.length, good.openings.length], [1, 2])
  good.answer('good-2')
  assert.equal((await second())?.upstreamSession(good.server.key), 'good-2')
})

test('an id that is too long to be sealed is left out', async (t) => {
  const { server, answer } = keeping('a')
  const { initialize } = open(t, [server])
  for (const [id, sealed] of [
    ['x'.repeat(512), 'x'.repeat(512)],
    ['x'.repeat(513), undefined],
  ] as const) {
    const find = initialize()
    await settled()
    answer(id)
    assert.equal((await find())?.upstreamSession(server.key), sealed)
  }
})

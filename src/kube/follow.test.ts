import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { bookmark, event, type FakeApi, object, openFakeApi, type Step, status } from './fake-api-for-test.ts'
import { type FollowHandlers, type FollowState, follow } from './follow.ts'
import type { Identity } from './identity.ts'

const things = { group: 'example.org', version: 'v1', plural: 'things' }
/** How long a server may be silent before the end of the initial events; the test fires it. */
const quietMs = 10_000
/** After which a watch that was taken up again counts as able to go on. */
const settledMs = 1000

interface Followed {
  readonly api: FakeApi
  /** What the handlers were told, in words, and the waits between, such as `100 ms`. */
  readonly told: readonly string[]
  /** Resolves once these words were told n times. */
  until(words: string, times?: number): Promise<void>
  /** Fires the timer that waits for the end of the initial events. */
  fireQuiet(): void
  pass(ms: number): void
  readonly state: FollowState
  /** Timers that were neither fired nor cancelled. */
  timers(): number
  close(): void
}

interface Around {
  readonly collection?: object
  readonly identity?: Partial<Identity> & { refresh?(): void }
  readonly handlers?: Partial<FollowHandlers>
  /** Which waits aren't over at once. */
  readonly holds?: (ms: number) => boolean
}

async function followed(t: TestContext, steps: readonly Step[], around: Around = {}): Promise<Followed> {
  const { collection = {}, identity, handlers, holds = (ms) => ms === quietMs } = around
  const api = await openFakeApi(t, steps, identity)
  const told: string[] = []
  const waiting = new Set<() => void>()
  const held = new Map<number, () => void>()
  let timers = 0
  let ms = 0
  const say = (words: string) => {
    told.push(words)
    for (const look of waiting) look()
  }
  const nameOf = (value: unknown) => (value as ReturnType<typeof object>).metadata.name
  const follower = follow(
    api.client,
    { ...things, ...collection },
    {
      onReset: (objects) => say(`reset ${objects.map(nameOf).join(' ')}`.trim()),
      onSet: (value) => say(`set ${nameOf(value)}`),
      onDelete: (value) => say(`delete ${nameOf(value)}`),
      onState: (state) => say(state),
      ...handlers,
    },
    {
      random: () => 0.5,
      log: { info: () => {}, warn: () => {} },
      now: () => ms,
      setTimer(run, wait) {
        timers++
        let isOver = false
        const end = () => {
          if (isOver) return
          isOver = true
          timers--
        }
        if (wait !== quietMs && wait !== settledMs) say(`${wait} ms`)
        const fire = () => {
          if (isOver) return
          end()
          run()
        }
        if (holds(wait)) held.set(wait, fire)
        else setImmediate(fire)
        return end
      },
    },
  )
  t.after(() => follower.close())
  return {
    api,
    told,
    until: (words, times = 1) =>
      new Promise((resolve) => {
        const look = () => {
          if (told.filter((word) => word === words).length < times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    fireQuiet: () => held.get(quietMs)?.(),
    pass: (more) => {
      ms += more
    },
    get state() {
      return follower.state
    },
    timers: () => timers,
    close: () => follower.close(),
  }
}

/** Returns once it is so; the test's time-out bounds it. */
async function reached(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

/** A streaming list of these, by their names, at this revision; the watch stays open. */
const streams =
  (names: readonly string[], revision: number): Step =>
  ({ send }) =>
    send(...names.map((name, at) => event('ADDED', name, at + 1)), bookmark(revision, true))

/** A watch that the server has taken up. */
const opens: Step = ({ send }) => send()
const refuses =
  (code: number, message = 'no', headers: Record<string, string> = {}): Step =>
  ({ reply }) =>
    reply(code, status(code, message), headers)

test('one watch gives what is there at once, then each change', async (t) => {
  const seen = await followed(t, [streams(['a', 'b'], 9)], {
    collection: { namespace: 'ns', name: 'a', labelSelector: 'x=y' },
  })
  await seen.until('synced')
  assert.equal(seen.timers(), 0)
  const watch = await seen.api.arrival(1)
  watch.send(event('ADDED', 'c', 10), event('MODIFIED', 'a', 11), bookmark(12), event('DELETED', 'b', 13))
  await seen.until('delete b')
  assert.deepEqual(seen.told, ['reset a b', 'synced', 'set c', 'set a', 'delete b'])
  assert.equal(seen.state, 'synced')
  assert.equal(watch.path, '/apis/example.org/v1/namespaces/ns/things')
  assert.deepEqual(watch.query, {
    watch: '1',
    allowWatchBookmarks: 'true',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    timeoutSeconds: '270',
    fieldSelector: 'metadata.name=a',
    labelSelector: 'x=y',
  })
})

test('what changes before the end of the initial events is in what is there', async (t) => {
  const seen = await followed(t, [
    ({ send }) =>
      send(
        event('ADDED', 'a', 1),
        bookmark(1),
        event('ADDED', 'b', 2),
        event('MODIFIED', 'a', 3),
        event('DELETED', 'b', 4),
        bookmark(4, true),
      ),
  ])
  await seen.until('synced')
  assert.deepEqual(seen.told, ['reset a', 'synced'])
})

test('core kinds have a path of their own', async (t) => {
  const seen = await followed(t, [streams([], 1)], { collection: { group: '', plural: 'secrets' } })
  await seen.until('synced')
  assert.equal(seen.api.arrivals[0]?.path, '/api/v1/secrets')
})

test('a watch that is over goes on after the last version, and reads nothing again', async (t) => {
  const rows: readonly [string, readonly unknown[], string][] = [
    ['the end of the initial events', [], '9'],
    ['an event', [event('ADDED', 'c', 10)], '10'],
    ['a deletion', [event('DELETED', 'a', 11)], '11'],
    ['a bookmark', [event('ADDED', 'c', 10), bookmark(12)], '12'],
  ]
  for (const [what, events, revision] of rows) {
    const seen = await followed(t, [
      ({ send, response }) => {
        send(event('ADDED', 'a', 1), bookmark(9, true), ...events)
        response.end()
      },
      opens,
    ])
    const { query } = await seen.api.arrival(2)
    assert.equal(query['resourceVersion'], revision, what)
    assert.equal(query['sendInitialEvents'], undefined, what)
    assert.equal(query['resourceVersionMatch'], undefined, what)
    assert.equal(query['allowWatchBookmarks'], 'true', what)
    await seen.until('synced', 2)
    assert.equal(seen.told.filter((words) => words.startsWith('reset')).length, 1, what)
  }
})

test('a watch that ends in its time is opened again at once and without a word', async (t) => {
  const seen = await followed(t, [streams(['a'], 9), opens])
  await seen.until('synced')
  seen.pass(270_000)
  seen.api.arrivals[0]?.response.end()
  await seen.api.arrival(2)
  assert.deepEqual(seen.told, ['reset a', 'synced'])
})

test('broken watches: what is known stays, the rest comes after a wait', async (t) => {
  const rows: readonly [string, Step][] = [
    ['in the midst of a line', (arrival) => arrival.write('{"type":"ADDED","object":{"meta')],
    ['with a line that is not JSON', ({ write }) => write('<html>\n')],
    ['with what is no event', ({ send }) => send(status(503, 'starting'))],
    ['with an error', ({ send }) => send({ type: 'ERROR', object: status(500, 'storage is down') })],
    ['with a line of more than 16 MiB', ({ write }) => write(`${'x'.repeat(2 ** 24 + 1)}\n`)],
  ]
  for (const [what, ends] of rows) {
    const seen = await followed(t, [streams(['a'], 9), opens])
    await seen.until('synced')
    const watch = await seen.api.arrival(1)
    watch.send(event('ADDED', 'b', 10))
    await seen.until('set b')
    ends(watch)
    if (what.includes('midst')) watch.response.end()
    const { query, send } = await seen.api.arrival(2)
    assert.equal(query['resourceVersion'], '10', what)
    send(event('ADDED', 'c', 11))
    await seen.until('set c')
    assert.deepEqual(seen.told, ['reset a', 'synced', 'set b', 'interrupted', '100 ms', 'synced', 'set c'], what)
  }
})

test('an expired version: all is read anew, and replaced at once', async (t) => {
  const rows: readonly [string, Step][] = [
    ['as an event', ({ send }) => send({ type: 'ERROR', object: status(410, 'too old resource version') })],
    ['as a status', refuses(410, 'too old resource version')],
    ['as a status that takes the version for nonsense', refuses(400, 'invalid resource version')],
  ]
  for (const [what, expires] of rows) {
    const seen = await followed(t, [streams(['a', 'b'], 9), expires, streams(['b', 'c'], 20)])
    await seen.until('synced')
    seen.pass(270_000)
    seen.api.arrivals[0]?.response.end()
    await seen.until('reset b c')
    assert.equal((await seen.api.arrival(2)).query['resourceVersion'], '9', what)
    assert.equal((await seen.api.arrival(3)).query['sendInitialEvents'], 'true', what)
    assert.equal(seen.told.filter((words) => words.startsWith('reset')).join(), 'reset a b,reset b c', what)
    await seen.until('synced', 2)
  }
})

test('a server that is back counts as in sync once it goes on, not when it takes up the watch', async (t) => {
  const expires: Step = ({ send }) => send({ type: 'ERROR', object: status(410, 'too old') })
  const seen = await followed(t, [streams(['a'], 9), opens, expires, streams(['b'], 20)], { holds: (ms) => ms >= settledMs })
  await seen.until('synced')
  seen.api.arrivals[0]?.reset()
  const second = await seen.api.arrival(2)
  second.send(event('ADDED', 'b', 10))
  await seen.until('set b')
  second.reset()
  await seen.until('synced', 3)
  assert.deepEqual(
    seen.told.filter((words) => !words.endsWith('ms')),
    ['reset a', 'synced', 'interrupted', 'synced', 'set b', 'interrupted', 'interrupted', 'reset b', 'synced'],
  )
})

test('a watch that breaks before it counts as able to go on is not in sync', async (t) => {
  const seen = await followed(t, [streams(['a'], 9), opens, opens], { holds: (ms) => ms >= settledMs })
  await seen.until('synced')
  seen.api.arrivals[0]?.reset()
  await reached(() => seen.api.arrivals.length === 2 && seen.timers() === 1)
  seen.api.arrivals[1]?.reset()
  await seen.until('200 ms')
  assert.equal(seen.timers(), 1)
  assert.equal(seen.state, 'interrupted')
})

test('versions that keep expiring are asked for ever more seldom', async (t) => {
  const expires: Step = ({ send }) => send({ type: 'ERROR', object: status(410, 'too old') })
  const seen = await followed(t, [streams(['a'], 9), ...Array<Step>(4).fill(expires), streams(['a'], 9)])
  await seen.until('synced')
  seen.pass(270_000)
  seen.api.arrivals[0]?.response.end()
  await seen.until('reset a', 2)
  assert.deepEqual(
    seen.told.filter((words) => words.endsWith('ms')),
    ['100 ms', '200 ms', '400 ms', '800 ms'],
  )
})

test('a version that has expired is read anew soon, however long the server was away', async (t) => {
  const expires: Step = ({ send }) => send({ type: 'ERROR', object: status(410, 'too old') })
  const away = Array<Step>(5).fill(refuses(503))
  const seen = await followed(t, [streams(['a'], 9), ...away, expires, streams(['a'], 20), expires, streams(['a'], 30)])
  await seen.until('synced')
  seen.api.arrivals[0]?.reset()
  await seen.until('reset a', 2)
  seen.pass(10_000)
  seen.api.arrivals[7]?.response.end()
  await seen.until('reset a', 3)
  assert.deepEqual(
    seen.told.filter((words) => words.endsWith('ms')),
    ['100 ms', '200 ms', '400 ms', '800 ms', '1600 ms', '3200 ms', '100 ms', '100 ms'],
  )
})

test('a server that can not be asked is asked again, later and later, and not before it wants that', async (t) => {
  const steps = [
    refuses(503, 'starting'),
    refuses(429, 'slow down', { 'retry-after': '3' }),
    refuses(500),
    refuses(401),
    ({ reset }) => reset(),
    ({ send }) => send({ type: 'ERROR', object: status(500, 'x', { details: { retryAfterSeconds: 2 } }) }),
    streams(['a'], 9),
  ] satisfies Step[]
  const seen = await followed(t, steps)
  await seen.until('synced')
  assert.deepEqual(
    seen.told.filter((words) => words !== 'interrupted'),
    ['100 ms', '3200 ms', '400 ms', '800 ms', '1600 ms', '5200 ms', 'reset a', 'synced'],
  )
})

test('a watch that held makes up for the failures before it', async (t) => {
  const seen = await followed(t, [refuses(503), refuses(503), streams(['a'], 9), refuses(503), opens])
  await seen.until('synced')
  seen.pass(10_000)
  seen.api.arrivals[2]?.response.end()
  await seen.until('synced', 2)
  assert.deepEqual(
    seen.told.filter((words) => words.endsWith('ms')),
    ['100 ms', '200 ms', '100 ms'],
  )
})

test('the state says why in words', async (t) => {
  const details: (string | undefined)[] = []
  let told = () => {}
  const enough = new Promise<void>((resolve) => {
    told = resolve
  })
  await followed(t, [refuses(503, 'starting'), refuses(403, 'things is forbidden'), streams([], 1)], {
    handlers: {
      onState(state, detail) {
        details.push(`${state}: ${detail}`)
        if (state === 'synced') told()
      },
    },
  })
  await enough
  assert.deepEqual(details, [
    'interrupted: the API server answers 503: starting',
    'forbidden: the API server answers 403: things is forbidden',
    'synced: undefined',
  ])
})

test('forbidden says nothing about objects, and passes', async (t) => {
  const seen = await followed(t, [streams(['a'], 9), refuses(403), refuses(403), opens])
  await seen.until('synced')
  seen.pass(270_000)
  seen.api.arrivals[0]?.response.end()
  await seen.until('synced', 2)
  assert.deepEqual(seen.told, ['reset a', 'synced', 'forbidden', '100 ms', '200 ms', 'synced'])
  assert.equal((await seen.api.arrival(4)).query['resourceVersion'], '9')
})

test('a token that was rotated is no interruption', async (t) => {
  let token = 'old'
  const seen = await followed(t, [refuses(401), streams(['a'], 9)], {
    identity: {
      headers: async () => ({ authorization: token }),
      refresh: () => {
        token = 'new'
      },
    },
  })
  await seen.until('synced')
  assert.deepEqual(seen.told, ['reset a', 'synced'])
  assert.equal(seen.api.arrivals[1]?.headers.authorization, 'new')
})

test('a kind that is not served has no objects, until it appears', async (t) => {
  const seen = await followed(t, [refuses(404), refuses(404), streams(['a'], 9)])
  await seen.until('synced')
  assert.deepEqual(seen.told, ['reset', 'absent', '5000 ms', '5000 ms', 'reset a', 'synced'])
})

test('a kind whose definition is deleted is gone at the second look', async (t) => {
  const seen = await followed(t, [streams(['a'], 9), refuses(404), refuses(404), streams(['b'], 20)])
  await seen.until('synced')
  seen.pass(270_000)
  seen.api.arrivals[0]?.response.end()
  await seen.until('synced', 2)
  assert.deepEqual(seen.told, ['reset a', 'synced', 'interrupted', '1500 ms', 'reset', 'absent', '5000 ms', 'reset b', 'synced'])
  assert.equal((await seen.api.arrival(4)).query['sendInitialEvents'], 'true')
})

test('a server that has just started and does not know all kinds yet takes nothing away', async (t) => {
  const seen = await followed(t, [streams(['a'], 9), refuses(404), refuses(503), refuses(404), opens])
  await seen.until('synced')
  seen.pass(270_000)
  seen.api.arrivals[0]?.response.end()
  await seen.until('synced', 2)
  assert.deepEqual(
    seen.told.filter((words) => words !== 'interrupted'),
    ['reset a', 'synced', '1500 ms', '100 ms', '1500 ms', 'synced'],
  )
})

const page = (items: unknown, revision: number, next?: string) => ({
  kind: 'ThingList',
  apiVersion: 'example.org/v1',
  metadata: { resourceVersion: String(revision), ...(next === undefined ? {} : { continue: next }) },
  items,
})

test('a server without streaming lists is read page by page and then watched', async (t) => {
  const rows: readonly [string, Step][] = [
    ['refused', refuses(422, 'sendInitialEvents is forbidden')],
    ['refused by an old one', refuses(400)],
    ['ignored', ({ send }) => send(event('ADDED', 'a', 1))],
    ['ignored by one without objects', opens],
    ['ignored by a busy one', opens],
  ]
  for (const [what, first] of rows) {
    const seen = await followed(t, [
      first,
      ({ reply }) => reply(200, page([{ metadata: { name: 'a', resourceVersion: '1' } }], 9, 'more=')),
      ({ reply }) => reply(200, page([object('b', 2)], 9)),
      opens,
    ])
    const { send } = await seen.api.arrival(1)
    while (what.startsWith('ignored') && seen.api.arrivals.length < 2) {
      if (what.endsWith('busy one')) send(event('ADDED', 'a', 1))
      await new Promise((resolve) => setImmediate(resolve))
      seen.fireQuiet()
    }
    const watch = await seen.api.arrival(4)
    watch.send(event('DELETED', 'a', 10))
    await seen.until('delete a')
    assert.deepEqual(seen.told, ['reset a b', 'synced', 'delete a'], what)
    assert.deepEqual(seen.api.arrivals[1]?.query, { limit: '500' }, what)
    assert.deepEqual(seen.api.arrivals[2]?.query, { limit: '500', continue: 'more=' }, what)
    assert.equal(watch.query['resourceVersion'], '9', what)
    assert.equal(watch.query['sendInitialEvents'], undefined, what)
    watch.response.end()
    assert.equal((await seen.api.arrival(5)).query['resourceVersion'], '10', what)
  }
})

test('items of a list say what they are', async (t) => {
  let objects: readonly unknown[] = []
  const seen = await followed(
    t,
    [refuses(422), ({ reply }) => reply(200, page([{ metadata: { name: 'a' } }, { kind: 'Own', metadata: { name: 'b' } }], 9)), opens],
    { handlers: { onReset: (all) => (objects = all) } },
  )
  await seen.until('synced')
  assert.deepEqual(objects, [
    { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'a' } },
    { apiVersion: 'example.org/v1', kind: 'Own', metadata: { name: 'b' } },
  ])
})

test('a list that fails is begun again, and none is made where a watch can go on', async (t) => {
  const seen = await followed(t, [
    refuses(422),
    ({ reply }) => reply(200, page([object('a', 1)], 9, 'more=')),
    refuses(410, 'the continue token is too old'),
    refuses(422),
    ({ reply }) => reply(200, page(null, 12)),
    refuses(503),
    refuses(503),
    opens,
  ])
  await seen.until('synced', 2)
  assert.deepEqual(seen.told, ['interrupted', '100 ms', 'reset', 'synced', 'interrupted', '200 ms', '400 ms', 'synced'])
  assert.deepEqual(
    seen.api.arrivals.map(({ query }) => query['resourceVersion'] ?? query['continue'] ?? query['limit'] ?? 'stream'),
    ['stream', '500', 'more=', 'stream', '500', '12', '12', '12'],
  )
})

test('what a handler throws is an uncaught exception, and the following goes on', async (t) => {
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  t.after(() => {
    for (const listener of before) process.on('uncaughtException', listener)
  })
  const thrown = once(process, 'uncaughtException')
  const seen = await followed(t, [streams(['a'], 9)], {
    handlers: {
      onSet() {
        throw new Error('a bug')
      },
    },
  })
  await seen.until('synced')
  ;(await seen.api.arrival(1)).send(event('ADDED', 'b', 10), event('DELETED', 'a', 11))
  assert.match(String((await thrown)[0]), /a bug/)
  await seen.until('delete a')
  assert.equal(seen.api.arrivals.length, 1)
})

test('once closed, in whatever phase, no handler is called, no timer runs and nothing is asked', async (t) => {
  const rows: readonly [string, readonly Step[], (seen: Followed) => Promise<void>][] = [
    ['before the answer', [() => {}], async (seen) => void (await seen.api.arrival(1))],
    ['in the initial events', [({ send }) => send(event('ADDED', 'a', 1))], (seen) => reached(() => seen.timers() === 1)],
    ['in the watch', [streams(['a'], 9)], (seen) => seen.until('synced')],
    ['in the list', [refuses(422), () => {}], async (seen) => void (await seen.api.arrival(2))],
    ['in a wait', [refuses(503)], (seen) => seen.until('100 ms')],
    ['while absent', [refuses(404)], (seen) => seen.until('5000 ms')],
  ]
  for (const [what, steps, isThere] of rows) {
    const seen = await followed(t, steps, { holds: () => true })
    await isThere(seen)
    const told = [...seen.told]
    const asked = seen.api.arrivals.length
    const watch = seen.api.arrivals[0]
    const isOpen = watch?.response.writableEnded === false
    const closed = isOpen ? once(watch.response, 'close') : undefined
    seen.close()
    assert.equal(seen.timers() <= 1, true, what)
    await closed
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(seen.timers(), 0, what)
    assert.deepEqual(seen.told, told, what)
    assert.equal(seen.api.arrivals.length, asked, what)
  }
})

test('a handler may close what calls it', async (t) => {
  let close = () => {}
  const seen = await followed(
    t,
    [({ send }) => send(event('ADDED', 'a', 1), bookmark(9, true), event('ADDED', 'b', 10), event('ADDED', 'c', 11))],
    {
      handlers: { onReset: () => close() },
    },
  )
  close = () => seen.close()
  await once((await seen.api.arrival(1)).response, 'close')
  assert.deepEqual(seen.told, [])
})

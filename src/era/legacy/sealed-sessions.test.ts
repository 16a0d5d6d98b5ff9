import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { allCapabilities, type Capabilities } from '../../mcp/mcp.ts'
import { createSealer, type SealKey } from '../seal.ts'
import {
  createSealedSessions,
  createSessionMemory,
  type LegacySession,
  type SealedSessions,
  type SessionMemory,
  type SessionScope,
  type SessionSettings,
} from './sealed-sessions.ts'

const settings: SessionSettings = { idleMs: 1000, absoluteMs: 5000 }
const keyOf = (id: string): SealKey => ({ id, secret: randomBytes(32) })
const key = keyOf('k')
const clock = { at: 0 }

function sessionsOf(keys: readonly SealKey[], times: SessionSettings, memory?: SessionMemory): SealedSessions {
  return createSealedSessions(createSealer('session', keys, randomBytes), times, () => clock.at, randomBytes, memory)
}

const fresh = () => sessionsOf([key], settings)
const scopes: readonly SessionScope[] = ['a', 'b'].flatMap((route) => ['x', 'y'].map((caller) => ({ route, caller })))
const reloads: readonly SessionSettings[] = [
  settings,
  { idleMs: 400, absoluteMs: 5000 },
  { idleMs: 3000, absoluteMs: 2000 },
  { idleMs: 3000, absoluteMs: 20_000 },
]

function start(sessions: SealedSessions, scope: SessionScope, version = '2025-06-18', upstreams = new Map<string, string>()): string {
  return sessions.start(sessions.draft(version, 0), upstreams, scope)
}

/** A session as it must behave: `usedAt` undefined where this process, under its settings, has not seen it. */
interface Known {
  readonly id: string
  readonly scope: SessionScope
  readonly key: string
  readonly version: string
  readonly capabilities: Capabilities
  readonly upstreams: ReadonlyMap<string, string>
  readonly openedAt: number
  readonly expiresAt: number
  readonly sealedWith: string
  usedAt: number | undefined
  isEnded: boolean
}

interface Model {
  readonly all: Known[]
  keys: readonly string[]
  times: SessionSettings
}

/** One process; its keys are those of the model. */
interface Real {
  sessions: SealedSessions
  memory: SessionMemory
  keys: readonly SealKey[]
}

function pick<T>(list: readonly T[], n: number): T {
  const found = list[n % list.length]
  assert.ok(found !== undefined)
  return found
}

function isExpired(known: Known, { times }: Model): boolean {
  const isIdle = known.usedAt !== undefined && clock.at - known.usedAt > times.idleMs
  return isIdle || clock.at - known.openedAt > times.absoluteMs || clock.at > known.expiresAt
}

function isAlive(known: Known, model: Model): boolean {
  return !known.isEnded && !isExpired(known, model) && model.keys.includes(known.sealedWith)
}

function assertIs(found: LegacySession | undefined, known: Known): void {
  assert.ok(found)
  assert.deepEqual(
    [found.key, found.version, found.capabilities, found.openedAtMs, found.expiresAtMs],
    [known.key, known.version, known.capabilities, known.openedAt, known.expiresAt],
  )
  for (const server of servers) assert.equal(found.upstreamSession(server), known.upstreams.get(server))
}

const servers = ['main/one', 'main/two', 'é/"']
const idsOf = (n: number) => new Map(servers.slice(0, n % 4).map((server, i) => [server, `${server}-${n}-${'x'.repeat(i * 100)}`]))

class Start implements fc.Command<Model, Real> {
  private readonly n: number
  constructor(n: number) {
    this.n = n
  }
  check = () => true
  run(model: Model, real: Real) {
    const scope = pick(scopes, this.n)
    const version = this.n % 2 === 0 ? '2025-11-25' : '2025-03-26'
    const capabilities = (this.n * 37) & allCapabilities
    const openedAt = clock.at
    const draft = real.sessions.draft(version, capabilities)
    assert.equal(draft.upstreamSession('main/one'), undefined)
    // Opening the servers' sessions takes a while.
    clock.at += this.n
    const upstreams = idsOf(this.n)
    const id = real.sessions.start(draft, upstreams, scope)
    assert.match(id, /^[\x21-\x7e]+$/)
    assert.ok(model.all.every((known) => known.id !== id && known.key !== draft.key))
    model.all.push({
      id,
      scope,
      key: draft.key,
      version,
      capabilities,
      upstreams,
      openedAt,
      expiresAt: openedAt + model.times.absoluteMs,
      sealedWith: pick(model.keys, 0),
      usedAt: clock.at,
      isEnded: false,
    })
  }
  toString = () => `start ${this.n}`
}

class Find implements fc.Command<Model, Real> {
  private readonly n: number
  private readonly from: number
  constructor(n: number, from: number) {
    this.n = n
    this.from = from
  }
  check = (model: Readonly<Model>) => model.all.length > 0
  run(model: Model, real: Real) {
    const known = pick(model.all, this.n)
    const scope = pick(scopes, this.from)
    const found = real.sessions.find(known.id, scope)
    const isOwn = scope.route === known.scope.route && scope.caller === known.scope.caller
    if (!isOwn || !isAlive(known, model)) return assert.equal(found, undefined)
    assertIs(found, known)
    known.usedAt = clock.at
  }
  toString = () => `find ${this.n} from ${this.from}`
}

class End implements fc.Command<Model, Real> {
  private readonly n: number
  constructor(n: number) {
    this.n = n
  }
  check = (model: Readonly<Model>) => model.all.length > 0
  run(model: Model, real: Real) {
    const known = pick(model.all, this.n)
    const found = real.sessions.find(known.id, known.scope)
    assert.equal(found !== undefined, isAlive(known, model))
    if (found === undefined) return
    real.sessions.end(known.id, found)
    known.isEnded = true
  }
  toString = () => `end ${this.n}`
}

class Wait implements fc.Command<Model, Real> {
  private readonly ms: number
  private readonly sweeps: boolean
  constructor(ms: number, sweeps: boolean) {
    this.ms = ms
    this.sweeps = sweeps
  }
  check = () => true
  run(model: Model, real: Real) {
    clock.at += this.ms
    if (!this.sweeps) return
    const expired: string[] = []
    real.sessions.sweep((session) => expired.push(session.key))
    const gone = model.all.filter((known) => known.usedAt !== undefined && !known.isEnded && isExpired(known, model))
    assert.deepEqual(expired.toSorted(), gone.map((known) => known.key).toSorted())
    for (const known of gone) known.isEnded = true
  }
  toString = () => `wait ${this.ms}${this.sweeps ? ', sweep' : ''}`
}

/** Other keys or times in the same process, which knows what it has seen and what has ended. */
function reload(model: Model, real: Real): void {
  real.sessions = sessionsOf(real.keys, model.times, real.memory)
}

class Reload implements fc.Command<Model, Real> {
  private readonly n: number
  constructor(n: number) {
    this.n = n
  }
  check = () => true
  run(model: Model, real: Real) {
    model.times = pick(reloads, this.n)
    reload(model, real)
  }
  toString = () => `reload ${this.n}`
}

/** A new key seals; the one before it still opens, and any older one is gone. */
class Rotate implements fc.Command<Model, Real> {
  check = () => true
  run(model: Model, real: Real) {
    const added = keyOf(`k${clock.at}-${randomBytes(4).toString('hex')}`)
    real.keys = [added, pick(real.keys, 0)]
    model.keys = real.keys.map(({ id }) => id)
    reload(model, real)
  }
  toString = () => 'rotate'
}

/** Another process with the same keys: it has not seen any session, so only the absolute age counts until it does. */
class Restart implements fc.Command<Model, Real> {
  check = () => true
  run(model: Model, real: Real) {
    real.memory = createSessionMemory()
    reload(model, real)
    for (const known of model.all) {
      known.isEnded = false
      known.usedAt = undefined
    }
  }
  toString = () => 'restart'
}

test('sessions behave as their model: open, find, end, expire, sweep, rotate keys, reload times, another process', () => {
  const n = fc.nat(15)
  const commands = fc.commands(
    [
      n.map((i) => new Start(i)),
      fc.tuple(n, n).map(([i, from]) => new Find(i, from)),
      n.map((i) => new Find(i, i)),
      n.map((i) => new End(i)),
      fc.tuple(fc.constantFrom(1, 400, 999, 1000, 1001, 2500), fc.boolean()).map(([ms, sweeps]) => new Wait(ms, sweeps)),
      n.map((i) => new Reload(i)),
      fc.constant(new Rotate()),
      fc.constant(new Restart()),
    ],
    { size: '+1' },
  )
  fc.assert(
    fc.property(commands, (sequence) => {
      clock.at = 1_000_000
      const first = keyOf('first')
      const memory = createSessionMemory()
      fc.modelRun(
        () => ({
          model: { all: [], keys: ['first'], times: settings },
          real: { sessions: sessionsOf([first], settings, memory), memory, keys: [first] },
        }),
        sequence,
      )
    }),
    { numRuns: 300 },
  )
})

test('a session of other keys, and anything that is no session, is not found', () => {
  const scope = { route: 'r', caller: 'c' }
  const others = sessionsOf([{ ...key, secret: randomBytes(32) }], settings)
  for (const id of [start(others, scope), '', 'k.', 'k.AAAA', '../../etc', 'x'.repeat(10_000)])
    assert.equal(fresh().find(id, scope), undefined)
})

test("a token of the same keys that is no legacy client's session opens none", () => {
  const sealer = createSealer('session', [key], randomBytes)
  const payload = JSON.stringify(['key', '2025-06-18', clock.at, clock.at + 1000, 0, []])
  const scope = { route: 'r', caller: 'c' }
  assert.equal(fresh().find(sealer.seal(payload, ['r', 'c']), scope), undefined)
  assert.equal(fresh().find(sealer.seal(payload, ['r', 'c', 'modern']), scope), undefined)
})

test('an id carries as many sessions of servers as fit, and every one of them whole', () => {
  clock.at = 0
  const scope = { route: 'r', caller: 'c' }
  const ids = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 2000, size: 'max' })), {
    maxLength: 40,
    selector: ([server]) => server,
  })
  const here = sessionsOf([{ ...key, id: 'k'.repeat(64) }], settings)
  fc.assert(
    fc.property(ids, (pairs) => {
      const id = start(here, scope, '2025-11-25', new Map(pairs))
      assert.ok(id.length <= 6000)
      const there = sessionsOf([{ ...key, id: 'k'.repeat(64) }], settings).find(id, scope)
      assert.ok(there)
      const kept = pairs.filter(([server, session]) => there.upstreamSession(server) === session)
      const isLeftOut = ([server]: readonly [string, string]) => there.upstreamSession(server) === undefined
      assert.equal(kept.length + pairs.filter(isLeftOut).length, pairs.length)
      if (JSON.stringify(pairs).length < 2000 && pairs.every(([, session]) => session.length < 100)) assert.equal(kept.length, pairs.length)
      for (const [server] of pairs) assert.equal(here.find(id, scope)?.upstreamSession(server), there.upstreamSession(server))
    }),
    { numRuns: 50 },
  )
  const many = new Map(Array.from({ length: 100 }, (_, i) => [`b/${i}`, 'x'.repeat(80)]))
  const session = here.find(start(here, scope, '2025-11-25', many), scope)
  const carried = [...many.keys()].filter((server) => session?.upstreamSession(server) !== undefined)
  assert.deepEqual(carried, [...many.keys()].slice(0, carried.length))
  assert.ok(carried.length >= 40)
})

test('a session that was used is idle from then on; the sweep tells of an expired one once', () => {
  clock.at = 0
  const sessions = fresh()
  const scope = { route: 'r', caller: 'c' }
  const id = start(sessions, scope)
  const session = sessions.find(id, scope)
  for (let i = 0; i < 4; i++) {
    clock.at += 900
    assert.ok(sessions.find(id, scope))
  }
  const swept: string[] = []
  clock.at += 1001
  sessions.sweep((expired) => swept.push(expired.key))
  sessions.sweep((expired) => swept.push(expired.key))
  assert.deepEqual(swept, [session?.key])
  assert.equal(sessions.find(id, scope), undefined)
})

test('an ended session stays ended when a reload gives sessions more time', () => {
  clock.at = 0
  const memory = createSessionMemory()
  const scope = { route: 'r', caller: 'c' }
  const before = sessionsOf([key], settings, memory)
  const id = start(before, scope)
  const session = before.find(id, scope)
  assert.ok(session)
  before.end(id, session)
  const after = sessionsOf([key], { idleMs: 100_000, absoluteMs: 100_000 }, memory)
  assert.equal(after.find(id, scope), undefined)
  clock.at = settings.absoluteMs + 1
  after.sweep(() => assert.fail())
  assert.equal(memory.ended.size, 0)
  assert.equal(after.find(id, scope), undefined)
})

test('twenty thousand other sessions push one out of memory, not out of life', () => {
  clock.at = 0
  const sessions = fresh()
  const scope = { route: 'r', caller: 'c' }
  const id = start(sessions, scope)
  const session = sessions.find(id, scope)
  for (let i = 0; i < 20_000; i++) start(sessions, { route: 'r', caller: String(i) })
  let swept = 0
  clock.at = 1001
  sessions.sweep(() => swept++)
  assert.equal(swept, 20_000)
  assert.deepEqual(sessions.find(id, scope)?.key, session?.key)
})

test('long ids are remembered up to 32 Mi characters of them', () => {
  clock.at = 0
  const sessions = fresh()
  const upstreams = new Map([['b/s', 'x'.repeat(4200)]])
  const chars = Array.from({ length: 7000 }, () => start(sessions, { route: 'r', caller: 'c' }, '2025-06-18', upstreams).length)
  let swept = 0
  clock.at = 1001
  sessions.sweep(() => swept++)
  assert.equal(swept, Math.floor((32 * 1024 * 1024) / (chars[0] ?? 0)))
})

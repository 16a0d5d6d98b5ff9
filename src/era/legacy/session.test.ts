import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealer, type SealKey } from '../seal.ts'
import { createSessions, type LegacySession, type SessionScope, type Sessions } from './session.ts'

const settings = { idleMs: 1000, absoluteMs: 5000 }
const key: SealKey = { id: 'k', secret: randomBytes(32) }
const clock = { at: 0 }
const fresh = () => createSessions(createSealer('session', [key], randomBytes), settings, () => clock.at, randomBytes)
const scopes: readonly SessionScope[] = ['a', 'b'].flatMap((route) => ['x', 'y'].map((caller) => ({ route, caller })))

/** A session as it must behave: `usedAt` undefined where this process has not seen it. */
interface Known {
  readonly id: string
  readonly scope: SessionScope
  readonly version: string
  readonly openedAt: number
  usedAt: number | undefined
  isEnded: boolean
}

interface Model {
  readonly all: Known[]
}

interface Real {
  sessions: Sessions
}

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % list.length]
}

function isAlive(known: Known): boolean {
  const isIdle = known.usedAt !== undefined && clock.at - known.usedAt > settings.idleMs
  return !known.isEnded && !isIdle && clock.at - known.openedAt <= settings.absoluteMs
}

class Start implements fc.Command<Model, Real> {
  private readonly n: number
  constructor(n: number) {
    this.n = n
  }
  check = () => true
  run(model: Model, real: Real) {
    const scope = pick(scopes, this.n)
    assert.ok(scope)
    const version = this.n % 2 === 0 ? '2025-11-25' : '2025-03-26'
    const id = real.sessions.start(version, scope)
    assert.match(id, /^[\x21-\x7e]+$/)
    assert.ok(model.all.every((known) => known.id !== id))
    model.all.push({ id, scope, version, openedAt: clock.at, usedAt: clock.at, isEnded: false })
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
    assert.ok(known && scope)
    const found = real.sessions.find(known.id, scope)
    const isOwn = scope.route === known.scope.route && scope.caller === known.scope.caller
    if (!isOwn || !isAlive(known)) return assert.equal(found, undefined)
    assert.deepEqual(found && [found.version, found.openedAtMs], [known.version, known.openedAt])
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
    assert.ok(known)
    const found = real.sessions.find(known.id, known.scope)
    assert.equal(found !== undefined, isAlive(known))
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
    let expired = 0
    real.sessions.sweep(() => expired++)
    const gone = model.all.filter((known) => known.usedAt !== undefined && !known.isEnded && !isAlive(known))
    assert.equal(expired, gone.length)
    for (const known of gone) known.isEnded = true
  }
  toString = () => `wait ${this.ms}${this.sweeps ? ', sweep' : ''}`
}

/** Another process with the same keys: it has not seen any session, so only the absolute age counts until it does. */
class Restart implements fc.Command<Model, Real> {
  check = () => true
  run(model: Model, real: Real) {
    real.sessions = fresh()
    for (const known of model.all) {
      known.usedAt = undefined
      known.isEnded = false
    }
  }
  toString = () => 'restart'
}

test('sessions behave as their model: start, find, end, expire, sweep, restart', () => {
  const n = fc.nat(15)
  const commands = fc.commands(
    [
      n.map((i) => new Start(i)),
      fc.tuple(n, n).map(([i, from]) => new Find(i, from)),
      n.map((i) => new Find(i, i)),
      n.map((i) => new End(i)),
      fc.tuple(fc.constantFrom(1, 400, 999, 1000, 1001, 2500), fc.boolean()).map(([ms, sweeps]) => new Wait(ms, sweeps)),
      fc.constant(new Restart()),
    ],
    { size: '+1' },
  )
  fc.assert(
    fc.property(commands, (sequence) => {
      clock.at = 1_000_000
      fc.modelRun(() => ({ model: { all: [] }, real: { sessions: fresh() } }), sequence)
    }),
    { numRuns: 300 },
  )
})

test('a session stays itself in another process: same key, version and age', () => {
  clock.at = 50
  const scope = { route: 'r', caller: 'c' }
  const here = fresh()
  const id = here.start('2025-06-18', scope)
  const own: LegacySession | undefined = here.find(id, scope)
  assert.ok(own)
  assert.deepEqual(fresh().find(id, scope), own)
})

test('a session of other keys, and anything that is no session, is not found', () => {
  const scope = { route: 'r', caller: 'c' }
  const others = createSessions(
    createSealer('session', [{ ...key, secret: randomBytes(32) }], randomBytes),
    settings,
    () => clock.at,
    randomBytes,
  )
  for (const id of [others.start('2025-06-18', scope), '', 'k.', 'k.AAAA', '../../etc', 'x'.repeat(10_000)])
    assert.equal(fresh().find(id, scope), undefined)
})

test('a session that was used is idle from then on; the sweep tells of an expired one once', () => {
  clock.at = 0
  const sessions = fresh()
  const scope = { route: 'r', caller: 'c' }
  const id = sessions.start('2025-06-18', scope)
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

test('twenty thousand other sessions push one out of memory, not out of life', () => {
  clock.at = 0
  const sessions = fresh()
  const scope = { route: 'r', caller: 'c' }
  const id = sessions.start('2025-06-18', scope)
  const session = sessions.find(id, scope)
  for (let i = 0; i < 20_000; i++) sessions.start('2025-06-18', { route: 'r', caller: String(i) })
  let swept = 0
  clock.at = 1001
  sessions.sweep(() => swept++)
  assert.equal(swept, 20_000)
  assert.deepEqual(sessions.find(id, scope), session)
})

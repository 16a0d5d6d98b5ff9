import type { Refusal } from '../../mcp/mcp.ts'
import { type MeetOptions, type Met, meet, type Timers } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'

/** Meets a server, and meets it again when it or its session was gone: soon at first, then ever more seldom. */
export interface Meetings {
  /** The server as it was met last; undefined before, and while its lost session is opened again. */
  met(): Met | undefined
  /** Meets the server; resolves when `onMet` has, or when the server is known to be down. */
  connect(): Promise<void>
  /** A meeting has led to a list: the server is there. */
  settle(met: Met): void
  /** What says whether a server is there has failed: it is gone, or just its session. */
  lose(refusal: Refusal, met: Met): void
  /** The server can't be reached. */
  goDown(refusal: Refusal): void
  close(): void
}

export interface MeetingsOptions {
  readonly connector: Connector
  readonly timers: Timers
  readonly meet: MeetOptions
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Takes the server as it was met; what it resolves with is part of the meeting. */
  readonly onMet: (met: Met) => Promise<void>
  /** The server is down until it is met again, which is tried on. */
  readonly onDown: (refusal: Refusal) => void
}

const firstRetryMs = 100
const maxRetryMs = 2000
/** A session that is lost after this long is opened again at once, a shorter one ever more seldom. */
const lastingMs = 5000

export function createMeetings({ connector, timers, meet: options, now, random, onMet, onDown }: MeetingsOptions): Meetings {
  let met: Met | undefined
  /** The last meeting that has led to lists. */
  let listed: Met | undefined
  let connecting: Promise<void> | undefined
  let isClosed = false
  let failures = 0
  /** When it was met last. */
  let metAt = 0
  /** Sessions in a row that were lost soon. */
  let losses = 0
  /** Addresses in a row at which it could not be met, or gave no list. */
  let strayed = 0
  /** It is to be met at another one. */
  let isAstray = false

  function goDown(refusal: Refusal): void {
    if (isClosed) return
    strayed = 0
    isAstray = false
    onDown(refusal)
    timers.start('connect', backOff(failures++), () => void connect())
  }

  function backOff(tries: number): number {
    return Math.min(maxRetryMs, firstRetryMs * 2 ** tries) * (0.8 + 0.4 * random())
  }

  function connect(): Promise<void> {
    connecting ??= meetAgain().finally(() => {
      connecting = undefined
    })
    return connecting
  }

  async function meetAgain(): Promise<void> {
    timers.cancel('connect')
    do await meetOnce()
    while (isAstray && !isClosed)
  }

  async function meetOnce(): Promise<void> {
    const found = await meet(connector, options)
    if (isClosed) return
    isAstray = false
    if (found.kind === 'refused') return failAt(found)
    met = found
    metAt = now()
    await onMet(found)
  }

  /** Where a server has several addresses, each is tried before it is down. What can't be reached was looked for at all of them. */
  function failAt(refusal: Refusal): void {
    const addresses = connector.moveOn?.() ?? 1
    isAstray = refusal.reason !== 'upstream-down' && ++strayed < addresses
    if (!isAstray) goDown(refusal)
  }

  async function meetElsewhere(): Promise<void> {
    await connecting
    if (isAstray) await connect()
  }

  /** In place of a session that was lost soon: it stays what calls go by until then, since theirs are others. */
  async function reconnect(lost: Met): Promise<void> {
    await connecting
    if (met === lost) await connect()
  }

  return {
    met: () => met,
    connect,
    settle(current) {
      listed = current
      failures = 0
      strayed = 0
      timers.cancel('connect')
    },
    lose(refusal, current) {
      // One that never was good is a failure.
      if (refusal.reason !== 'session-unknown' || listed !== current) {
        failAt(refusal)
        return void meetElsewhere()
      }
      if (timers.isRunning('connect')) return
      if (now() - metAt > lastingMs) {
        losses = 0
        met = undefined
        void connect()
      } else timers.start('connect', backOff(losses++), () => void reconnect(current))
    },
    goDown,
    close() {
      isClosed = true
    },
  }
}

import type { Refusal } from '../../mcp/mcp.ts'
import { type MeetOptions, type Met, meet, type Timers } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'

/**
 * Meets a server: finds its era and performs the handshake. Meets it again, with growing pauses, after the server or its session was lost.
 */
export interface Meetings {
  /** The server as it was met last; undefined before, and while its lost session is opened again. */
  met(): Met | undefined
  /** Meets the server; resolves when `onMet` has resolved, or when the server is known to be down. */
  connect(): Promise<void>
  /** Takes note that the list came by which a server counts as up: the server is there. */
  settle(met: Met): void
  /** Takes note that this list failed: either the server is gone, or only its session is lost. */
  lose(refusal: Refusal, met: Met): void
  /** Takes note that the server can't be reached. */
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
  /** Called after each meeting; the meeting is over when the promise resolves. */
  readonly onMet: (met: Met) => Promise<void>
  /** Called when the server is down; meetings go on being tried. */
  readonly onDown: (refusal: Refusal) => void
}

const firstRetryMs = 100
const maxRetryMs = 2000
/** When a session is lost that lasted at least this long, another is opened at once; after shorter ones with growing pauses. */
const lastingMs = 5000

export function createMeetings({ connector, timers, meet: options, now, random, onMet, onDown }: MeetingsOptions): Meetings {
  let met: Met | undefined
  /** The last meeting whose lists came. */
  let listed: Met | undefined
  let connecting: Promise<void> | undefined
  let isClosed = false
  let failures = 0
  /** When the server was met last. */
  let metAt = 0
  /** How many sessions in a row were lost before `lastingMs`. */
  let losses = 0
  /** At how many addresses in a row the server could not be met, or gave no list. */
  let strayed = 0
  /** Whether to meet the server at another of its addresses. */
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

  /** Tries each address of a server before it is down. A server that can't be reached was already tried at all of them. */
  function failAt(refusal: Refusal): void {
    const addresses = connector.moveOn?.() ?? 1
    isAstray = refusal.reason !== 'upstream-down' && ++strayed < addresses
    if (!isAstray) goDown(refusal)
  }

  async function meetElsewhere(): Promise<void> {
    await connecting
    if (isAstray) await connect()
  }

  /** Opens a session in place of one that was lost before `lastingMs`. Calls go on meanwhile, since they have sessions of their own. */
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
      // A session that never led to a list counts as a failure.
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

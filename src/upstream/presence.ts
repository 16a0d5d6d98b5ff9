import { readAnswer } from '../era/era.ts'
import { type Message, member, type Refusal, refuse } from '../mcp/mcp.ts'
import { createChangeWatch } from './change-watch.ts'
import type { Connector } from './connector.ts'
import { listTools, type ToolList } from './list-tools.ts'
import { failed, type MeetOptions, type Met, meet } from './meet.ts'
import type { UpstreamDeps, UpstreamSettings, UpstreamStatus } from './model.ts'
import { isSessionLost } from './session-lost.ts'
import { createTimers } from './timers.ts'
import type { ToolEntry } from './tool-entry.ts'

/** Whether a server is there, what it is and what it lists: met, listed, asked again in time, and met again when it was gone. */
export interface Presence {
  status(): UpstreamStatus
  isReady(): boolean
  /** The server as it was met last; undefined before, and while its lost session is opened again. */
  met(): Met | undefined
  tools(): readonly ToolEntry[]
  cacheHint(): { readonly ttlMs: number; readonly isPublic: boolean }
  /** Meets it and asks for its list; resolves when it is ready or known to be down. */
  connect(): Promise<void>
  /** Asks for the list, and with it whether the server is there at all. */
  refresh(): Promise<void>
  ensureFresh(): Promise<void> | undefined
  /** It can't be reached: it is tried again, ever more seldom. */
  goDown(refusal: Refusal): void
  close(): void
}

const firstRetryMs = 100
const maxRetryMs = 2000
/** Change notices within this time are one. */
const noticeMs = 100
/** A list is asked for at most this often, whatever notices come. */
const minRefreshMs = 500
const minTtlMs = 5000
/** Of an error's text; what a server says may be long. */
const maxErrorChars = 300
const noTools: ToolList = { kind: 'tools', tools: [], ttlMs: undefined, isPublic: true, dropped: [] }

/** @param onRequest takes what the server asks on its own accord */
export function createPresence(
  settings: UpstreamSettings,
  connector: Connector,
  deps: UpstreamDeps,
  meetOptions: MeetOptions,
  onRequest: (met: Met, message: Message, method: string) => void,
): Presence {
  const { now, events } = deps
  const timers = createTimers()
  let state: UpstreamStatus['state'] = 'connecting'
  let since = Date.now()
  let lastError: string | undefined
  let met: Met | undefined
  let list = noTools
  let listedAt = Number.NEGATIVE_INFINITY
  /** The meeting that `list` is of. */
  let listed: Met | undefined
  let listing: { readonly of: Met; readonly done: Promise<void> } | undefined
  let connecting: Promise<void> | undefined
  let isClosed = false
  let failures = 0
  /** What was left out of the list when it was last told. */
  let reported = ''

  const changes = createChangeWatch({
    connector,
    timers,
    meet: meetOptions,
    now,
    onChange: noticed,
    onEnd: () => void refresh(),
    onRequest,
  })

  function status(): UpstreamStatus {
    return {
      backend: settings.backend,
      name: settings.name,
      state,
      era: met?.era.name,
      version: met?.facts.version,
      serverName: met?.facts.serverName,
      tools: list.tools.length,
      lastError,
      since,
    }
  }

  function enter(next: UpstreamStatus['state'], error: string | undefined): void {
    if (isClosed) return
    const before = state
    const shown = error?.slice(0, maxErrorChars)
    const isNews = before !== next || lastError !== shown
    if (before !== next) since = Date.now()
    state = next
    lastError = shown
    if (isNews) events.stateChanged(status(), before)
  }

  function goDown(refusal: Refusal): void {
    if (isClosed) return
    changes.close()
    timers.cancel('refresh')
    enter('down', refusal.text)
    const wait = Math.min(maxRetryMs, firstRetryMs * 2 ** failures++)
    timers.start('connect', wait * (0.8 + 0.4 * deps.random()), () => void connect())
  }

  function connect(): Promise<void> {
    connecting ??= meetAgain().finally(() => {
      connecting = undefined
    })
    return connecting
  }

  async function meetAgain(): Promise<void> {
    timers.cancel('connect')
    const found = await meet(connector, meetOptions)
    if (isClosed) return
    if (found.kind === 'refused') return goDown(found)
    met = found
    await refresh()
  }

  /** What is asked of one meeting is asked once at a time. */
  async function refresh(): Promise<void> {
    const current = met
    if (current === undefined || isClosed) return
    if (listing?.of !== current) listing = { of: current, done: relist(current) }
    const own = listing
    await own.done
    if (listing === own) listing = undefined
  }

  async function relist(current: Met): Promise<void> {
    timers.cancel('refresh')
    const until = now() + settings.listMs
    const bounds = { pages: settings.pages, tools: settings.toolsPerServer, era: current.era.name, chars: settings.listChars }
    const found = current.facts.hasTools ? await listTools((cursor) => page(current, cursor, until - now()), bounds) : noTools
    if (isClosed || met !== current) return
    if (found.kind === 'refused') {
      // A session that was good once is opened again at once; one that never was is a failure.
      if (found.reason !== 'session-unknown' || listed !== current) return goDown(found)
      met = undefined
      void connect()
      return
    }
    listed = current
    take(found, current)
  }

  async function page(current: Met, cursor: string | undefined, timeoutMs: number): Promise<Message | Refusal> {
    const id = meetOptions.nextId()
    const reply = await connector.post({ ...current.era.listTools(cursor, id, current.session), id, timeoutMs: Math.max(1, timeoutMs) })
    if (isSessionLost(reply, current.session)) return refuse('session-unknown', 'no longer knows its session')
    if (reply.kind !== 'message') return failed(reply, 'tools/list')
    if (member(reply.message.top, 'error') === undefined) return reply.message
    const { answer } = readAnswer(reply.message, 'tools/list')
    return refuse('upstream-invalid', `answered tools/list with ${answer.kind === 'failed' ? `error ${answer.error.code}` : 'an error'}`)
  }

  function take(found: ToolList, current: Met): void {
    const isChanged = !isSameList(list.tools, found.tools)
    list = isChanged ? found : { ...found, tools: list.tools }
    listedAt = now()
    failures = 0
    const dropped = found.dropped.join('\n')
    if (dropped !== reported && dropped !== '') events.dropped(found.dropped)
    reported = dropped
    enter('ready', undefined)
    if (isChanged) events.toolsChanged(status())
    changes.open(current)
    timers.start('refresh', Math.max(settings.ttlMs, minTtlMs) * (0.9 + 0.2 * deps.random()), () => void refresh())
  }

  function noticed(): void {
    const wait = Math.max(noticeMs, minRefreshMs - (now() - listedAt))
    // A list that is under way may have been read before the change.
    timers.start('notice', wait, () => (listing === undefined ? void refresh() : noticed()))
  }

  void connect()

  return {
    status,
    isReady: () => state === 'ready',
    met: () => met,
    tools: () => list.tools,
    cacheHint() {
      const age = now() - listedAt
      const stated = Math.min(list.ttlMs ?? settings.ttlMs, settings.ttlMs)
      return { ttlMs: state === 'ready' ? Math.max(0, Math.round(stated - age)) : 0, isPublic: list.isPublic && met?.era.name === 'modern' }
    },
    connect,
    refresh,
    ensureFresh() {
      if (state === 'connecting') return connect()
      return state === 'ready' && now() - listedAt > settings.ttlMs ? refresh() : undefined
    },
    goDown,
    close() {
      isClosed = true
      changes.close()
      timers.close()
    },
  }
}

function isSameList(a: readonly ToolEntry[], b: readonly ToolEntry[]): boolean {
  return a.length === b.length && a.every((tool, i) => tool.text === b[i]?.text)
}

import { discoverRequest, legacyRequest } from '../../era/era.ts'
import {
  type ChangeKind,
  type ListKind,
  listKinds,
  lists,
  type Message,
  member,
  members,
  noOffers,
  type Offers,
  type Refusal,
  refuse,
  textOf,
} from '../../mcp/mcp.ts'
import { type EntryList, type ListEntry, listEntries } from '../lists/lists.ts'
import {
  createTimers,
  failed,
  isSessionLost,
  type MeetOptions,
  type Met,
  meet,
  type UpstreamDeps,
  type UpstreamSettings,
  type UpstreamStatus,
} from '../server/server.ts'
import { createChangeWatch, type Watch } from '../watches/watches.ts'
import type { Connector } from '../wire/wire.ts'

/** Whether a server is there, what it is and what it lists: met, listed, asked again in time, and met again when it was gone. */
export interface Presence {
  status(): UpstreamStatus
  isReady(): boolean
  /** The server as it was met last; undefined before, and while its lost session is opened again. */
  met(): Met | undefined
  /** The last known entries, the same array until they change. */
  entries(kind: ListKind): readonly ListEntry[]
  /** Of the last meeting; nothing before. */
  offers(): Offers
  /** 0 ms where the list is not whole, since it failed the last time, or the server is not there. */
  cacheHint(kind: ListKind): { readonly ttlMs: number; readonly isPublic: boolean; readonly isWhole: boolean }
  /** Meets it and asks for its lists; resolves when it is ready or known to be down. */
  connect(): Promise<void>
  /** Asks for the lists, and with them whether the server is there at all. */
  refresh(): Promise<void>
  ensureFresh(): Promise<void> | undefined
  /** It can't be reached: it is tried again, ever more seldom. */
  goDown(refusal: Refusal): void
  watch(uri: string, onUpdate: (uri: string) => void): Watch
  /** Takes a notice of changes that came on another stream than theirs; false where it is something else. */
  hear(message: Message, method: string): boolean
  close(): void
}

/** What is known of one list. */
interface Known {
  list: EntryList
  /** When it was asked for last, with whatever success. */
  askedAt: number
  /** How long it then is not asked for again because of a notice. */
  restMs: number
  /** The last answer was a list. */
  isWhole: boolean
  /** What was wrong with it when that was last told. */
  reported: string
  asking: { readonly of: Met; readonly done: Promise<void> } | undefined
}

const firstRetryMs = 100
const maxRetryMs = 2000
/** A session that is lost after this long is opened again at once, a shorter one ever more seldom. */
const lastingMs = 5000
/** Change notices within this time are one. */
const noticeMs = 100
/** A list is asked for at most this often, whatever notices come. */
const minRefreshMs = 500
/** The more seldom, the longer reading it kept the process busy; receiving it, and what comes of a change, cost about as much again. */
const restPerBusy = 50
const maxRestMs = 10_000
const minTtlMs = 5000
/** Of an error's text; what a server says may be long. */
const maxErrorChars = 300
const noList: EntryList = { kind: 'list', entries: [], ttlMs: undefined, isPublic: true, dropped: [] }
const changedWith: Readonly<Record<ChangeKind, readonly ListKind[]>> = {
  tools: ['tools'],
  prompts: ['prompts'],
  resources: ['resources', 'templates'],
}

/** @param onOther takes what the server sends of its own accord but changes: requests, log messages, progress */
export function createPresence(
  settings: UpstreamSettings,
  connector: Connector,
  deps: UpstreamDeps,
  meetOptions: MeetOptions,
  onOther: (met: Met, message: Message, method: string) => void,
): Presence {
  const { now, events } = deps
  const timers = createTimers()
  let state: UpstreamStatus['state'] = 'connecting'
  let since = Date.now()
  let lastError: string | undefined
  let met: Met | undefined
  let offers = noOffers
  const known: Readonly<Record<ListKind, Known>> = { tools: unknown(), prompts: unknown(), resources: unknown(), templates: unknown() }
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
  /** A list or the offers have become others since that was last told. */
  let isNews = false

  const changes = createChangeWatch({
    connector,
    timers,
    meet: meetOptions,
    now,
    onChange: noticed,
    onEnd: () => void refresh(),
    onOther,
  })

  function status(): UpstreamStatus {
    return {
      backend: settings.backend,
      name: settings.name,
      state,
      era: met?.era.name,
      version: met?.facts.version,
      serverName: met?.facts.serverName,
      tools: known.tools.list.entries.length,
      prompts: known.prompts.list.entries.length,
      resources: known.resources.list.entries.length,
      lastError,
      since,
    }
  }

  function enter(next: UpstreamStatus['state'], error: string | undefined): void {
    if (isClosed) return
    const before = state
    const shown = error?.slice(0, maxErrorChars)
    const isOther = before !== next || lastError !== shown
    if (before !== next) since = Date.now()
    state = next
    lastError = shown
    if (isOther) events.stateChanged(status(), before)
    tellNews()
  }

  /** What the first lists bring is told once the server is ready. */
  function tellNews(): void {
    if (!isNews || state === 'connecting') return
    isNews = false
    events.listChanged(status())
  }

  function goDown(refusal: Refusal): void {
    if (isClosed) return
    strayed = 0
    isAstray = false
    changes.close()
    timers.cancel('refresh')
    timers.cancel('check')
    enter('down', refusal.text)
    timers.start('connect', backOff(failures++), () => void connect())
  }

  function backOff(tries: number): number {
    return Math.min(maxRetryMs, firstRetryMs * 2 ** tries) * (0.8 + 0.4 * deps.random())
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
    const found = await meet(connector, meetOptions)
    if (isClosed) return
    isAstray = false
    if (found.kind === 'refused') return failAt(found)
    met = found
    metAt = now()
    if (JSON.stringify(found.facts.offers) !== JSON.stringify(offers)) isNews = true
    offers = found.facts.offers
    for (const kind of listKinds) if (!offers[lists[kind].capability]) known[kind].list = noList
    await refresh()
  }

  function offered(): readonly ListKind[] {
    return listKinds.filter((kind) => offers[lists[kind].capability])
  }

  /** The list that says whether the server is up. */
  function decider(): ListKind | undefined {
    return offered()[0]
  }

  async function refresh(): Promise<void> {
    const current = met
    if (current === undefined || isClosed) return
    timers.cancel('refresh')
    if (decider() === undefined) return becomeReady(current)
    await askAll(offered(), current)
  }

  /** Nobody waits for a list that failed the last time. */
  async function askAll(kinds: readonly ListKind[], current: Met): Promise<void> {
    await Promise.all(
      kinds.map((kind) => {
        const isWaitedFor = known[kind].isWhole
        const done = ask(kind, current)
        return isWaitedFor ? done : undefined
      }),
    )
  }

  /** What is asked of one meeting is asked once at a time. */
  async function ask(kind: ListKind, current: Met): Promise<void> {
    const one = known[kind]
    if (one.asking?.of !== current) one.asking = { of: current, done: relist(kind, current) }
    const own = one.asking
    await own.done
    if (one.asking === own) one.asking = undefined
  }

  async function relist(kind: ListKind, current: Met): Promise<void> {
    const until = now() + settings.listMs
    const era = current.era.name
    const bounds = { pages: settings.pages, entries: settings.entriesPerList, era, chars: settings.listChars }
    let busySince = now()
    let busyMs = 0
    const nextPage = async (cursor: string | undefined) => {
      busyMs += now() - busySince
      const answer = await page(kind, current, cursor, until - now())
      busySince = now()
      return answer
    }
    const found = await listEntries(kind, nextPage, bounds)
    if (isClosed || met !== current) return
    conclude(kind, found, current)
    busyMs += now() - busySince
    known[kind].restMs = Math.min(maxRestMs, Math.max(minRefreshMs, restPerBusy * busyMs))
  }

  function conclude(kind: ListKind, found: EntryList | Refusal, current: Met): void {
    const era = current.era.name
    if (found.kind !== 'refused') take(kind, found, current)
    // Before templates had a list of their own to be empty, servers left the method out.
    else if (kind === 'templates' && era === 'legacy' && found.reason === 'method-unknown') take(kind, noList, current)
    else if (kind === decider() || found.reason === 'upstream-down') lose(found, current)
    else {
      known[kind].isWhole = false
      known[kind].askedAt = now()
      report(kind, [`the list of ${kind}: ${found.text}`])
      // The list that decides finds out whether the session is gone.
      if (found.reason === 'session-unknown') void refreshDecider(current)
    }
  }

  async function page(kind: ListKind, current: Met, cursor: string | undefined, timeoutMs: number): Promise<Message | Refusal> {
    const id = meetOptions.nextId()
    const { method } = lists[kind]
    const reply = await connector.post({ ...current.era.list(kind, cursor, id, current.session), id, timeoutMs: Math.max(1, timeoutMs) })
    if (isSessionLost(reply, current.session)) return refuse('session-unknown', 'no longer knows its session')
    if (reply.kind !== 'message') return failed(reply, method)
    const code = errorCode(reply.message)
    if (code === undefined) return reply.message
    return refuse(code === -32601 ? 'method-unknown' : 'upstream-invalid', `answered ${method} with error ${code}`)
  }

  /** The server is gone, or just its session. */
  function lose(refusal: Refusal, current: Met): void {
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

  async function refreshDecider(current: Met): Promise<void> {
    const kind = decider()
    if (kind !== undefined) await ask(kind, current)
  }

  function take(kind: ListKind, found: EntryList, current: Met): void {
    const one = known[kind]
    const isSame = isSameList(one.list.entries, found.entries)
    one.list = isSame ? { ...found, entries: one.list.entries } : found
    one.askedAt = now()
    one.isWhole = true
    if (!isSame) isNews = true
    report(kind, found.dropped)
    if (kind === decider()) becomeReady(current)
    else tellNews()
  }

  function report(kind: ListKind, reasons: readonly string[]): void {
    const text = reasons.join('\n')
    if (text !== known[kind].reported && text !== '') events.dropped(reasons)
    known[kind].reported = text
  }

  function becomeReady(current: Met): void {
    listed = current
    failures = 0
    strayed = 0
    timers.cancel('connect')
    enter('ready', undefined)
    changes.open(current)
    timers.start('refresh', Math.max(settings.ttlMs, minTtlMs) * (0.9 + 0.2 * deps.random()), () => void refresh())
    checkLater()
  }

  function checkLater(): void {
    timers.start('check', settings.checkMs * (0.9 + 0.2 * deps.random()), () => void check())
  }

  /** Asks as little as can be asked. One that answers late is busy, and any answer of its own is one; else its list decides. */
  async function check(): Promise<void> {
    const current = met
    if (current !== undefined && !changes.isOpen()) {
      const { era, facts, session } = current
      const id = meetOptions.nextId()
      const request =
        era.name === 'modern' ? discoverRequest(id, meetOptions.clientInfo) : legacyRequest(id, 'ping', {}, facts.version, session)
      const reply = await connector.post({ ...request, id, timeoutMs: meetOptions.timeoutMs })
      const isGone = reply.kind === 'failed' ? reply.failure === 'unreachable' : reply.kind === 'http' && reply.status >= 500
      if (isGone && met === current) await refreshDecider(current)
    }
    if (state === 'ready') checkLater()
  }

  function noticed(changed: ChangeKind): void {
    const kinds = changedWith[changed].filter((kind) => offers[lists[kind].capability])
    const rest = () => Math.max(...kinds.map((kind) => known[kind].askedAt + known[kind].restMs)) - now()
    timers.start(`notice ${changed}`, Math.max(noticeMs, rest()), () => {
      // A list that is under way may have been read before the change.
      if (rest() > 0 || kinds.some((kind) => known[kind].asking !== undefined)) noticed(changed)
      else if (met !== undefined && !isClosed) void askAll(kinds, met)
    })
  }

  void connect()

  return {
    status,
    isReady: () => state === 'ready',
    met: () => met,
    entries: (kind) => known[kind].list.entries,
    offers: () => offers,
    cacheHint(kind) {
      const { list, askedAt, isWhole } = known[kind]
      const stated = Math.min(list.ttlMs ?? settings.ttlMs, settings.ttlMs)
      return {
        ttlMs: state === 'ready' && isWhole ? Math.max(0, Math.round(stated - (now() - askedAt))) : 0,
        isPublic: list.isPublic && met?.era.name === 'modern',
        isWhole,
      }
    },
    connect,
    refresh,
    ensureFresh() {
      if (state === 'connecting') return connect()
      if (state === 'down' || met === undefined) return undefined
      // A list that fails is asked for again in its time, not by every caller.
      const stale = offered().filter((kind) => known[kind].isWhole && now() - known[kind].askedAt > settings.ttlMs)
      return stale.length === 0 ? undefined : askAll(stale, met)
    },
    goDown,
    watch: changes.watch,
    hear: changes.hear,
    close() {
      isClosed = true
      changes.close()
      timers.close()
    },
  }
}

function unknown(): Known {
  return { list: noList, askedAt: Number.NEGATIVE_INFINITY, restMs: minRefreshMs, isWhole: true, reported: '', asking: undefined }
}

/** The code of an error response. */
function errorCode({ text, top }: Message): number | undefined {
  const error = member(top, 'error')
  if (error === undefined) return undefined
  const code = error.type === 'object' ? member(members(text, error.start, error.end), 'code') : undefined
  const sent = code?.type === 'number' ? Number(textOf(text, code)) : Number.NaN
  return Number.isSafeInteger(sent) ? sent : -32603
}

function isSameList(a: readonly ListEntry[], b: readonly ListEntry[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry.text === b[i]?.text)
}

import { type ChangeKind, type ListKind, listKinds, lists, type Message, noOffers, type Offers, type Refusal } from '../../mcp/mcp.ts'
import { createKnownLists, type EntryList, type ListEntry, noList } from '../lists/lists.ts'
import {
  createTimers,
  type MeetOptions,
  type Met,
  type UpstreamDeps,
  type UpstreamSettings,
  type UpstreamStatus,
} from '../server/server.ts'
import { createChangeWatch, type Watch } from '../watches/watches.ts'
import type { Connector } from '../wire/wire.ts'
import { isGone } from './is-gone.ts'
import { createMeetings } from './meetings.ts'
import { createState } from './state.ts'

/** Keeps track of one server: meets it, requests its lists, checks whether it is there, and meets it again after it was down. */
export interface Presence {
  status(): UpstreamStatus
  isReady(): boolean
  /** The server as it was met last; undefined before, and while its lost session is opened again. */
  met(): Met | undefined
  /** The last known entries, the same array until they change. */
  entries(kind: ListKind): readonly ListEntry[]
  /** What the server declared at the last meeting; nothing before the first. */
  offers(): Offers
  /** 0 ms where the server is not ready, or the list is not whole because the last request for it failed. */
  cacheHint(kind: ListKind): { readonly ttlMs: number; readonly isPublic: boolean; readonly isWhole: boolean }
  /** Meets the server and requests its lists; resolves when it is ready or known to be down. */
  connect(): Promise<void>
  /** Requests the lists, which also shows whether the server is there at all. */
  refresh(): Promise<void>
  ensureFresh(): Promise<void> | undefined
  /** Takes note that the server can't be reached. It is tried again, with growing pauses. */
  goDown(refusal: Refusal): void
  watch(uri: string, onUpdate: (uri: string) => void): Watch
  /** Takes a notification of a change that arrived on another stream; false for any other message. */
  hear(message: Message, method: string): boolean
  close(): void
}

/** Notifications of changes within this time are handled together. */
const noticeMs = 100
const minTtlMs = 5000
const changedWith: Readonly<Record<ChangeKind, readonly ListKind[]>> = {
  tools: ['tools'],
  prompts: ['prompts'],
  resources: ['resources', 'templates'],
}

/** @param onOther takes all messages on the server's own stream but notifications of changes: requests, log messages, progress */
export function createPresence(
  settings: UpstreamSettings,
  connector: Connector,
  deps: UpstreamDeps,
  meetOptions: MeetOptions,
  onOther: (met: Met, message: Message, method: string) => void,
): Presence {
  const { now, random, events } = deps
  const timers = createTimers()
  let offers = noOffers
  let isClosed = false

  const meetings = createMeetings({ connector, timers, meet: meetOptions, now, random, onMet, onDown })
  const known = createKnownLists({
    settings,
    connector,
    buffers: deps.buffers,
    now,
    nextId: meetOptions.nextId,
    isCurrent: (met) => !isClosed && met === meetings.met(),
    onAnswer,
    onDropped: (reasons) => events.dropped(reasons),
  })
  const state = createState(settings, events, meetings.met, (kind) => known.entries(kind).length)
  const changes = createChangeWatch({
    connector,
    timers,
    meet: meetOptions,
    now,
    onChange: noticed,
    onEnd: () => void refresh(),
    onOther,
  })

  function onMet(met: Met): Promise<void> {
    if (JSON.stringify(met.facts.offers) !== JSON.stringify(offers)) state.noteNews()
    offers = met.facts.offers
    for (const kind of listKinds) if (!offers[lists[kind].capability]) known.clear(kind)
    return refresh()
  }

  function onDown(refusal: Refusal): void {
    changes.close()
    timers.cancel('refresh')
    timers.cancel('check')
    state.enter('down', refusal)
  }

  function offered(): readonly ListKind[] {
    return listKinds.filter((kind) => offers[lists[kind].capability])
  }

  /** The list whose success or failure shows whether the server is up: the first that it offers. */
  function decider(): ListKind | undefined {
    return offered()[0]
  }

  async function refresh(): Promise<void> {
    const met = meetings.met()
    if (met === undefined || isClosed) return
    timers.cancel('refresh')
    if (decider() === undefined) return becomeReady(met)
    await known.askAll(offered(), met)
  }

  function onAnswer(kind: ListKind, answer: EntryList | Refusal, met: Met): void {
    if (answer.kind !== 'refused') take(kind, answer, met)
    // Many legacy servers without templates do not know the method.
    else if (kind === 'templates' && met.era.name === 'legacy' && answer.reason === 'method-unknown') take(kind, noList, met)
    else if (kind === decider() || answer.reason === 'upstream-down') meetings.lose(answer, met)
    else {
      known.fail(kind, `the list of ${kind}: ${answer.text}`)
      // Requesting the list of `decider` shows whether the session is lost.
      if (answer.reason === 'session-unknown') void refreshDecider(met)
    }
  }

  function take(kind: ListKind, list: EntryList, met: Met): void {
    if (known.take(kind, list)) state.noteNews()
    if (kind === decider()) becomeReady(met)
    else state.tellNews()
  }

  async function refreshDecider(met: Met): Promise<void> {
    const kind = decider()
    if (kind !== undefined) await known.ask(kind, met)
  }

  function becomeReady(met: Met): void {
    meetings.settle(met)
    state.enter('ready', undefined)
    changes.open(met)
    timers.start('refresh', Math.max(settings.ttlMs, minTtlMs) * (0.9 + 0.2 * random()), () => void refresh())
    checkLater()
  }

  function checkLater(): void {
    timers.start('check', settings.checkMs * (0.9 + 0.2 * random()), () => void check())
  }

  /**
   * Checks whether the server is there. While a stream is open, no check is needed, since the stream would end. If the server seems to be
   * gone, the list of `decider` is requested.
   */
  async function check(): Promise<void> {
    const met = meetings.met()
    if (met !== undefined && !changes.isOpen() && (await isGone(connector, met, meetOptions)) && meetings.met() === met)
      await refreshDecider(met)
    if (state.is('ready')) checkLater()
  }

  function noticed(changed: ChangeKind): void {
    const kinds = changedWith[changed].filter((kind) => offers[lists[kind].capability])
    timers.start(`notice ${changed}`, Math.max(noticeMs, known.restMs(kinds)), () => {
      const met = meetings.met()
      // A list whose request is in flight may have been read before the change.
      if (known.restMs(kinds) > 0 || known.isAsking(kinds)) noticed(changed)
      else if (met !== undefined && !isClosed) void known.askAll(kinds, met)
    })
  }

  void meetings.connect()

  return {
    status: state.status,
    isReady: () => state.is('ready'),
    met: meetings.met,
    entries: known.entries,
    offers: () => offers,
    cacheHint(kind) {
      const { ttlMs, isPublic, isWhole } = known.cacheHint(kind)
      return { ttlMs: state.is('ready') ? ttlMs : 0, isPublic: isPublic && meetings.met()?.era.name === 'modern', isWhole }
    },
    connect: meetings.connect,
    refresh,
    ensureFresh() {
      if (state.is('connecting')) return meetings.connect()
      const met = meetings.met()
      if (state.is('down') || met === undefined) return undefined
      const stale = known.stale(offered())
      return stale.length === 0 ? undefined : known.askAll(stale, met)
    },
    goDown: meetings.goDown,
    watch: changes.watch,
    hear: changes.hear,
    close() {
      isClosed = true
      meetings.close()
      state.close()
      changes.close()
      timers.close()
    },
  }
}

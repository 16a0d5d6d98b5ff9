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

/** Change notices within this time are one. */
const noticeMs = 100
const minTtlMs = 5000
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
  const { now, random, events } = deps
  const timers = createTimers()
  let offers = noOffers
  let isClosed = false

  const meetings = createMeetings({ connector, timers, meet: meetOptions, now, random, onMet, onDown })
  const known = createKnownLists({
    settings,
    connector,
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

  /** The list that says whether the server is up. */
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
    // Before templates had a list of their own to be empty, servers left the method out.
    else if (kind === 'templates' && met.era.name === 'legacy' && answer.reason === 'method-unknown') take(kind, noList, met)
    else if (kind === decider() || answer.reason === 'upstream-down') meetings.lose(answer, met)
    else {
      known.fail(kind, `the list of ${kind}: ${answer.text}`)
      // The list that decides finds out whether the session is gone.
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

  /** A server whose stream of changes is open would be heard to go; another one is asked. Where it seems to be gone, its list decides. */
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
      // A list that is under way may have been read before the change.
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

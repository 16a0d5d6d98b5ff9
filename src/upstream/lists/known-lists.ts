import { type Holder, type ListKind, lists, type Message, type Refusal, refuse, type ServerBuffers } from '../../mcp/mcp.ts'
import { errorIn, failed, isSessionLost, type Met, type UpstreamSettings } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'
import { type EntryList, listEntries } from './list-entries.ts'
import type { ListEntry } from './list-entry.ts'

/** A server's lists as they were last received, and the requests for them. */
export interface KnownLists {
  /** The last known entries, the same array until they change. */
  entries(kind: ListKind): readonly ListEntry[]
  /** How long a list may be cached from now on; 0 ms where it is not whole, because the last request for it failed. */
  cacheHint(kind: ListKind): { readonly ttlMs: number; readonly isPublic: boolean; readonly isWhole: boolean }
  /** Requests a list. While a request for it is in flight, no other is made. */
  ask(kind: ListKind, met: Met): Promise<void>
  /** Requests several lists, and waits for those that did not fail the last time. */
  askAll(kinds: readonly ListKind[], met: Met): Promise<void>
  /** Takes a list; true where its entries differ from before. */
  take(kind: ListKind, list: EntryList): boolean
  /** Takes note that a request for a list failed; the last known entries stay. */
  fail(kind: ListKind, why: string): void
  /** Forgets a list that the server no longer offers. */
  clear(kind: ListKind): void
  /**
   * Those of these lists that have to be requested again, since they are older than the server's `ttl`. A list whose last request failed is
   * requested again after a pause, and not for every caller.
   */
  stale(kinds: readonly ListKind[]): readonly ListKind[]
  /**
   * How long a notice of a change has to wait, in ms, until these lists may be requested again; 0 or less where they may be requested now.
   */
  restMs(kinds: readonly ListKind[]): number
  isAsking(kinds: readonly ListKind[]): boolean
}

export interface KnownListsOptions {
  readonly settings: UpstreamSettings
  readonly connector: Connector
  /** Counts the pages of a list until it is whole. */
  readonly buffers: ServerBuffers
  /** performance.now() or alike, in ms. */
  readonly now: () => number
  readonly nextId: () => number
  /** Whether this is still the newest meeting with the server; answers from earlier ones are dropped. */
  readonly isCurrent: (met: Met) => boolean
  /** Called with each answer: decides what it means for the server, and calls `take` or `fail`. */
  readonly onAnswer: (kind: ListKind, answer: EntryList | Refusal, met: Met) => void
  /** Called when entries were left out or a list failed; not again while the reasons stay the same. */
  readonly onDropped: (reasons: readonly string[]) => void
}

/** The state of one list. */
interface Known {
  list: EntryList
  /** When the last answer came, which may have been a failure. */
  askedAt: number
  /** How long after that time a notice of a change does not lead to another request. */
  restMs: number
  /** Whether the last answer was a list. */
  isWhole: boolean
  /** The reasons that were last given to `onDropped`. */
  reported: string
  asking: { readonly of: Met; readonly done: Promise<void> } | undefined
}

/** Notices of changes lead to a request for a list at most this often. */
const minRefreshMs = 500
/**
 * How much longer than reading a list took the pause until its next request is: a list that takes long is requested less often. Receiving
 * it, and the work that follows from a change, cost about as much again as reading it.
 */
const restPerBusy = 50
const maxRestMs = 10_000
/** The list of a kind that the server does not offer. */
export const noList: EntryList = { kind: 'list', entries: [], ttlMs: undefined, isPublic: true, dropped: [] }

/** The pages of one list, until it is whole. */
class Pages implements Holder {
  heldBytes = 0
  #isGivenUp = false
  readonly #buffers: ServerBuffers

  constructor(buffers: ServerBuffers) {
    this.#buffers = buffers
  }

  /** Counts the bytes of a page; false where too much is held, and no further page may be read. */
  take(bytes: number): boolean {
    this.heldBytes += bytes
    this.#buffers.take(this, bytes)
    return !this.#isGivenUp
  }

  giveUp(): boolean {
    const bytes = this.heldBytes
    this.heldBytes = 0
    this.#buffers.give(this, bytes)
    this.#isGivenUp = true
    return bytes > 0
  }
}

export function createKnownLists(options: KnownListsOptions): KnownLists {
  const { settings, connector, now } = options
  const known: Readonly<Record<ListKind, Known>> = { tools: unknown(), prompts: unknown(), resources: unknown(), templates: unknown() }

  async function askAll(kinds: readonly ListKind[], current: Met): Promise<void> {
    await Promise.all(
      kinds.map((kind) => {
        const isWaitedFor = known[kind].isWhole
        const done = ask(kind, current)
        return isWaitedFor ? done : undefined
      }),
    )
  }

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
    const pages = new Pages(options.buffers)
    const nextPage = async (cursor: string | undefined) => {
      busyMs += now() - busySince
      const answer = await page(kind, current, cursor, until - now())
      busySince = now()
      if (answer.kind === 'refused' || pages.take(answer.text.length)) return answer
      return refuse('upstream-memory', 'has longer lists than can be held at the moment')
    }
    const found = await listEntries(kind, nextPage, bounds)
    pages.giveUp()
    if (!options.isCurrent(current)) return
    options.onAnswer(kind, found, current)
    busyMs += now() - busySince
    known[kind].restMs = Math.min(maxRestMs, Math.max(minRefreshMs, restPerBusy * busyMs))
  }

  async function page(kind: ListKind, current: Met, cursor: string | undefined, timeoutMs: number): Promise<Message | Refusal> {
    const id = options.nextId()
    const { method } = lists[kind]
    const reply = await connector.post({ ...current.era.list(kind, cursor, id, current.session), id, timeoutMs: Math.max(1, timeoutMs) })
    if (isSessionLost(reply, current.session)) return refuse('session-unknown', 'no longer knows its session')
    if (reply.kind !== 'message') return failed(reply, method)
    return errorIn(reply.message, method) ?? reply.message
  }

  function report(kind: ListKind, reasons: readonly string[]): void {
    const text = reasons.join('\n')
    if (text !== known[kind].reported && text !== '') options.onDropped(reasons)
    known[kind].reported = text
  }

  return {
    entries: (kind) => known[kind].list.entries,
    cacheHint(kind) {
      const { list, askedAt, isWhole } = known[kind]
      const stated = Math.min(list.ttlMs ?? settings.ttlMs, settings.ttlMs)
      return { ttlMs: isWhole ? Math.max(0, Math.round(stated - (now() - askedAt))) : 0, isPublic: list.isPublic, isWhole }
    },
    ask,
    askAll,
    take(kind, list) {
      const one = known[kind]
      const isSame = isSameList(one.list.entries, list.entries)
      one.list = isSame ? { ...list, entries: one.list.entries } : list
      one.askedAt = now()
      one.isWhole = true
      report(kind, list.dropped)
      return !isSame
    },
    fail(kind, why) {
      known[kind].isWhole = false
      known[kind].askedAt = now()
      report(kind, [why])
    },
    clear(kind) {
      known[kind].list = noList
    },
    stale: (kinds) => kinds.filter((kind) => known[kind].isWhole && now() - known[kind].askedAt > settings.ttlMs),
    restMs: (kinds) => Math.max(...kinds.map((kind) => known[kind].askedAt + known[kind].restMs)) - now(),
    isAsking: (kinds) => kinds.some((kind) => known[kind].asking !== undefined),
  }
}

function unknown(): Known {
  return { list: noList, askedAt: Number.NEGATIVE_INFINITY, restMs: minRefreshMs, isWhole: true, reported: '', asking: undefined }
}

function isSameList(a: readonly ListEntry[], b: readonly ListEntry[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry.text === b[i]?.text)
}

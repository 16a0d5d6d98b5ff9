import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../observe/observe.ts'
import type { ProxyReport, Raw } from '../objects/objects.ts'
import type { AskProxy, ProxyAnswer } from './ask-proxy.ts'
import {
  type AskedGateway,
  chooseAsked,
  countOf,
  type FollowedGateway,
  type FollowedProxy,
  isSilent,
  newlyFollowed,
  silentMs,
  updateGateway,
} from './followed-gateway.ts'
import { boundsOfAll, boundsOfNamespace, type Place, Share } from './poll-share.ts'
import { parseStatus, readProxyReport } from './proxy-report.ts'

/** Asks the proxies of Gateways again and again which document and which servers they serve. */
export interface ProxyPoller {
  /** From now on the proxies of these Gateways, by `ns/name`, are asked, and no others. */
  follow(gateways: ReadonlyMap<string, AskedGateway>): void
  /** By `ns/name` of each Gateway with a known address: the last reports of its proxies that answer, sorted by address. */
  reports(): ReadonlyMap<string, readonly ProxyReport[]>
  /** Gateways, by `ns/name`, whose document changed or was written a moment ago, so that their proxies may not have it yet. */
  settling(): ReadonlySet<string>
  /** By `ns/name` of the Gateway: the digest of its document. */
  digests(): ReadonlyMap<string, string>
  close(): void
}

/** Counts the requests to proxies. */
export interface PollMetrics {
  /** How many proxies are asked what they serve. */
  setProxies(count: number): void
  countPoll(outcome: 'ok' | 'failed'): void
}

export interface PollerDeps {
  readonly ask: AskProxy
  /** Called when `reports()` or `settling()` have changed, at most once a second. */
  readonly onChange: () => void
  readonly log: Log
  readonly metrics: PollMetrics
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number
  readonly random: () => number
}

/** The time between two requests to a proxy that answers. */
const everyMs = 4000
/** How long a Gateway settles after its document changed. */
const settleMs = 5000
const firstBackoffMs = 1000
const maxBackoffMs = 15_000
/** The time between the beginnings of any two requests: at most 50 a second. */
const spaceMs = 20
/** A proxy of which something new is expected goes before one that is late by less than this. */
const aheadMs = 3_600_000
/** A proxy is asked no more often than it answers with this many bytes a second: a large answer costs as much as many small ones. */
const bytesPerSecond = 128 * 1024
/** Receiving this many bytes is counted as a millisecond, beside the time that it takes to read them. */
const bytesPerMs = 64 * 1024
/**
 * For each millisecond that an answer cost, its proxy is left alone for so many, and all proxies together for so many: one proxy takes no
 * more than a fiftieth of the controller's time, and all of them no more than a tenth.
 */
const restOfProxy = 50
const restOfAll = 10
const maxRestOfAllMs = 1000
/** The least time between two calls of `onChange`, each of which is a translation. */
const tellMs = 1000

export function createProxyPoller({ ask, onChange, log, metrics, now, random }: PollerDeps): ProxyPoller {
  /** By `ns/name`. */
  let followed = new Map<string, FollowedGateway>()
  const end = new AbortController()
  const all = new Share(boundsOfAll)
  /** By namespace; as many as there are namespaces with Gateways or with requests under way. */
  let namespaces = new Map<string, Share>()
  let alarm: NodeJS.Timeout | undefined
  /** When the next request may begin. */
  let freeMs = Number.NEGATIVE_INFINITY
  let telling: NodeJS.Timeout | undefined
  let toldMs = Number.NEGATIVE_INFINITY

  function tell(): void {
    telling ??= setTimeout(
      () => {
        telling = undefined
        toldMs = now()
        onChange()
      },
      Math.max(0, toldMs + tellMs - now()),
    ).unref()
  }

  /** Asks the proxy whose turn it is, if any; ends what has settled or is to be forgotten by now; and sets the alarm for the next time. */
  function pump(): void {
    clearTimeout(alarm)
    if (end.signal.aborted) return
    const nowMs = now()
    let first: Due | undefined
    let nextMs = Number.POSITIVE_INFINITY
    for (const one of followed.values()) {
      if (one.isSettling) nextMs = Math.min(nextMs, settle(one, nowMs))
      const canAsk = one.gateway.token !== undefined && hasRoom(one, false)
      const canAskSilent = canAsk && hasRoom(one, true)
      for (const [address, proxy] of one.proxies) {
        nextMs = Math.min(nextMs, forget(proxy, nowMs))
        if (proxy.isBusy || !(isSilent(proxy) ? canAskSilent : canAsk)) continue
        const [soonMs = Number.POSITIVE_INFINITY] = proxy.soonMs
        const atMs = Math.max(proxy.restsUntilMs, Math.min(proxy.dueMs, soonMs))
        if (atMs > nowMs) nextMs = Math.min(nextMs, atMs)
        else {
          const due = { one, address, proxy, orderMs: soonMs <= nowMs ? soonMs - aheadMs : proxy.dueMs }
          if (first === undefined || isBefore(due, first)) first = due
        }
      }
    }
    if (first !== undefined) {
      if (freeMs <= nowMs) {
        freeMs = nowMs + spaceMs
        void carryOut(first)
      }
      nextMs = Math.min(nextMs, freeMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) alarm = setTimeout(pump, Math.ceil(Math.max(0, nextMs - nowMs))).unref()
  }

  function hasRoom({ share, common, maxBytes }: FollowedGateway, isSilent: boolean): boolean {
    const place = { isSilent, bytes: maxBytes }
    return all.hasRoom(place) && common.hasRoom(place) && share.hasRoom(place)
  }

  /** Ends the settling of a Gateway when its time has passed; otherwise returns when that will be. */
  function settle(one: FollowedGateway, nowMs: number): number {
    const atMs = one.sinceMs + settleMs
    if (nowMs < atMs) return atMs
    one.isSettling = false
    // Where all proxies serve the document, their reports were news already.
    const reports = [...one.proxies.values()].map(({ report }) => report?.digest)
    if (reports.length === 0 || reports.some((digest) => digest !== one.gateway.digest)) tell()
    return Number.POSITIVE_INFINITY
  }

  /** Forgets the report of a proxy that has not answered for long; otherwise returns when that will be. */
  function forget(proxy: FollowedProxy, nowMs: number): number {
    if (proxy.failingSinceMs === undefined || proxy.report === undefined) return Number.POSITIVE_INFINITY
    const atMs = proxy.failingSinceMs + silentMs
    if (nowMs < atMs) return atMs
    proxy.report = undefined
    tell()
    return Number.POSITIVE_INFINITY
  }

  async function carryOut({ one, address, proxy }: Due): Promise<void> {
    const sinceMs = now()
    const { share, common } = one
    const place: Place = { isSilent: isSilent(proxy), bytes: one.maxBytes }
    for (const each of [all, common, share]) each.take(place)
    all.giveTurn(common, spaceMs)
    common.giveTurn(share, spaceMs)
    proxy.isBusy = true
    proxy.soonMs = proxy.soonMs.filter((atMs) => atMs > sinceMs)
    const answer = await ask(address, one.gateway.token ?? '', end.signal, place.bytes)
    for (const each of [all, common, share]) each.giveBack(place)
    proxy.isBusy = false
    const isKnown = one.proxies.get(address) === proxy
    const readMs = now()
    const read = end.signal.aborted || !isKnown ? undefined : readAnswer(answer, one.gateway.document)
    rest(one, proxy, now() - readMs + answer.bytes / bytesPerMs)
    if (read === undefined) return pump()
    metrics.countPoll(read.kind === 'report' ? 'ok' : 'failed')
    if (read.kind === 'failed') fail(proxy, address, sinceMs, read.text)
    else {
      proxy.failures = 0
      proxy.failingSinceMs = undefined
      proxy.dueMs = now() + everyMs * (0.9 + 0.2 * random())
      if (!isDeepStrictEqual(read.report, proxy.report)) {
        proxy.report = read.report
        tell()
      }
    }
    proxy.dueMs = Math.max(proxy.dueMs, now() + (answer.bytes / bytesPerSecond) * 1000)
    if (chooseAsked(one, now())) tell()
    pump()
  }

  /**
   * Makes others wait for what an answer cost, a failed one too: its proxy, its Gateway and namespace in their turns, and all for a while.
   */
  function rest({ share, common }: FollowedGateway, proxy: FollowedProxy, costMs: number): void {
    const nowMs = now()
    proxy.restsUntilMs = nowMs + Math.min(maxBackoffMs, costMs * restOfProxy)
    share.turnMs += costMs * restOfAll
    common.turnMs += costMs * restOfAll
    freeMs = Math.min(Math.max(freeMs, nowMs) + costMs * restOfAll, nowMs + maxRestOfAllMs)
  }

  function fail(proxy: FollowedProxy, address: string, sinceMs: number, text: string): void {
    log.debug({ address, text }, 'a proxy was asked in vain')
    proxy.failingSinceMs ??= sinceMs
    if (proxy.isReady && !proxy.hasSaidSilent && now() - proxy.failingSinceMs >= silentMs) {
      proxy.hasSaidSilent = true
      log.warn({ address, text }, 'a proxy is ready and does not say what it serves: look whether a NetworkPolicy lets the controller in')
    }
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(proxy.failures++, 10))
    proxy.dueMs = now() + backoffMs * (0.9 + 0.1 * random())
  }

  /** @param key of a Gateway */
  function commonOf(key: string): Share {
    const namespace = namespaceOf(key)
    const share = namespaces.get(namespace) ?? new Share(boundsOfNamespace)
    namespaces.set(namespace, share)
    return share
  }

  /** The Gateway as it is to be followed from now on. */
  function updated(known: FollowedGateway | undefined, gateway: AskedGateway, common: Share): FollowedGateway {
    const one = known ?? newlyFollowed(gateway, common, now())
    if (updateGateway(one, gateway, now())) tell()
    return one
  }

  return {
    follow(gateways) {
      for (const [key, { proxies }] of followed) if (!gateways.has(key)) proxies.clear()
      const kept = new Set([...gateways.keys()].map(namespaceOf))
      namespaces = new Map([...namespaces].filter(([namespace, share]) => kept.has(namespace) || !share.isIdle()))
      followed = new Map([...gateways].map(([key, gateway]) => [key, updated(followed.get(key), gateway, commonOf(key))]))
      metrics.setProxies([...followed.values()].reduce((sum, one) => sum + countOf(one), 0))
      pump()
    },
    reports: () =>
      new Map(
        [...followed].flatMap(([key, { proxies }]) => {
          const sorted = [...proxies].sort(([one], [other]) => (one < other ? -1 : 1))
          return proxies.size === 0 ? [] : [[key, sorted.flatMap(([, { report }]) => report ?? [])] as const]
        }),
      ),
    settling: () => new Set([...followed].flatMap(([key, { isSettling }]) => (isSettling ? [key] : []))),
    digests: () => new Map([...followed].map(([key, { gateway }]) => [key, gateway.digest])),
    close() {
      end.abort()
      clearTimeout(alarm)
      clearTimeout(telling)
    },
  }
}

/** A proxy that may be asked now. */
interface Due {
  readonly one: FollowedGateway
  readonly address: string
  readonly proxy: FollowedProxy
  /** Among the proxies of one Gateway the least goes first. */
  readonly orderMs: number
}

/** Namespaces take turns, in each namespace its Gateways, and in each Gateway its proxies. */
function isBefore({ one, orderMs }: Due, other: Due): boolean {
  if (one.common !== other.one.common) return one.common.turnMs < other.one.common.turnMs
  return one === other.one ? orderMs < other.orderMs : one.share.turnMs < other.one.share.turnMs
}

type Read = { readonly kind: 'report'; readonly report: ProxyReport } | { readonly kind: 'failed'; readonly text: string }

function readAnswer(answer: ProxyAnswer, document: Raw): Read {
  const parsed = answer.kind === 'failed' ? answer : parseStatus(answer.body)
  if (parsed.kind === 'failed') return parsed
  const report = readProxyReport(parsed.status, document)
  return report === undefined ? { kind: 'failed', text: 'answered with something that is no status' } : { kind: 'report', report }
}

/** @param key `ns/name` */
function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'))
}

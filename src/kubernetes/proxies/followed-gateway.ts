import type { ProxyReport, Raw } from '../objects/objects.ts'
import { boundsOfGateway, Share } from './poll-share.ts'
import type { ProxyAddress } from './proxy-addresses.ts'
import { maxStatusBytes } from './proxy-report.ts'

/** What is known of a Gateway whose proxies are asked. */
export interface AskedGateway {
  /** The digest of its document; empty where it has none. */
  readonly digest: string
  /** Reports tell of its servers and agents alone. */
  readonly document: Raw
  /** The version of the Secret with the document; undefined while there is none. */
  readonly version: string | undefined
  /** The token of the proxies' admin listener; without it nothing can be asked. */
  readonly token: string | undefined
  readonly addresses: readonly ProxyAddress[]
}

/** A Gateway with the state of its proxies. */
export interface FollowedGateway {
  gateway: AskedGateway
  /** The most bytes that an answer of its proxies may have. */
  maxBytes: number
  /** Since when its document is this one, or since its Secret was written with it. */
  sinceMs: number
  /** Whether its proxies have hardly had the time to take the document. */
  isSettling: boolean
  /** Whether its Secret has changed since the document did: later changes of the Secret are not the document's. */
  isWritten: boolean
  /** The proxies that are asked, by address. */
  readonly proxies: Map<string, FollowedProxy>
  /** The proxies that wait until one of those above answers or makes room. Both together are as many as the Gateway has addresses. */
  readonly waiting: Map<string, FollowedProxy>
  /** What of the requests is the Gateway's, and what is its namespace's. */
  readonly share: Share
  readonly common: Share
}

/** One proxy, and when it is asked next. */
export interface FollowedProxy {
  isReady: boolean
  /** Whether a request to it is under way. */
  isBusy: boolean
  dueMs: number
  /** Times before `dueMs` at which it is asked too, as something new is expected of it. */
  soonMs: readonly number[]
  /** The earliest time of the next request, whatever happens, as the last answer was expensive to read. */
  restsUntilMs: number
  /** Requests in a row that failed. */
  failures: number
  failingSinceMs: number | undefined
  /** Whether the log has said that it is ready and does not answer. */
  hasSaidSilent: boolean
  report: ProxyReport | undefined
}

/** How long after something new a proxy is asked for it. */
const soonAfterMs = [100, 300, 1000, 2000] as const
/** After this long without an answer, what a proxy said before is forgotten. */
export const silentMs = 10_000
/** Bound of the addresses of one Gateway that are asked although they do not answer. */
const maxUnanswered = 32

const unasked = {
  isBusy: false,
  restsUntilMs: Number.NEGATIVE_INFINITY,
  failures: 0,
  failingSinceMs: undefined,
  hasSaidSilent: false,
  report: undefined,
} as const satisfies Partial<FollowedProxy>

/** A Gateway of which no proxy has been asked yet. */
export function newlyFollowed(gateway: AskedGateway, common: Share, nowMs: number): FollowedGateway {
  const proxies = new Map<string, FollowedProxy>()
  const waiting = new Map<string, FollowedProxy>()
  const more = { proxies, waiting, share: new Share(boundsOfGateway), common }
  return { gateway, maxBytes: maxStatusBytes(gateway.document), sinceMs: nowMs, isSettling: true, isWritten: false, ...more }
}

/** Brings a Gateway to what is known of it now. Returns whether that changes what its proxies' reports say. */
export function updateGateway(one: FollowedGateway, gateway: AskedGateway, nowMs: number): boolean {
  const soonMs = soonAfterMs.map((afterMs) => nowMs + afterMs)
  let isNews = false
  const isOther = one.gateway.digest !== gateway.digest
  if (isOther) one.maxBytes = maxStatusBytes(gateway.document)
  const isRewritten = one.gateway.version !== gateway.version
  if (isOther || (isRewritten && !one.isWritten)) Object.assign(one, { sinceMs: nowMs, isSettling: true, isWritten: !isOther })
  one.gateway = gateway
  const addresses = new Map(gateway.addresses.map(({ address, isReady }) => [address, isReady]))
  for (const known of [one.proxies, one.waiting]) {
    for (const [address, { report }] of known) {
      if (addresses.has(address)) continue
      known.delete(address)
      if (report !== undefined) isNews = true
    }
  }
  for (const [address, isReady] of addresses) {
    const proxy = one.proxies.get(address) ?? one.waiting.get(address)
    if (proxy === undefined) {
      // The first proxy of a Gateway is news, even if it never answers.
      if (countOf(one) === 0) isNews = true
      one.waiting.set(address, { ...unasked, isReady, dueMs: nowMs, soonMs })
    } else {
      const isNewlyReady = isReady && !proxy.isReady
      if (isOther || isRewritten || isNewlyReady) proxy.soonMs = soonMs
      if (isNewlyReady) proxy.failures = 0
      proxy.isReady = isReady
    }
  }
  return chooseAsked(one, nowMs) || isNews
}

/**
 * Decides which of a Gateway's proxies are asked: those that have not answered for long make room for others, and take their turn after
 * them. Returns whether a report is forgotten with that.
 */
export function chooseAsked({ proxies, waiting }: FollowedGateway, nowMs: number): boolean {
  let isNews = false
  let unanswered = 0
  for (const proxy of proxies.values()) if (!isAnswering(proxy)) unanswered++
  for (const [address, proxy] of proxies) {
    if (unanswered + Math.min(waiting.size, 1) <= maxUnanswered) break
    if (proxy.isBusy || proxy.failingSinceMs === undefined || nowMs - proxy.failingSinceMs < silentMs) continue
    if (proxy.report !== undefined) isNews = true
    proxy.report = undefined
    // It has as long again when its turn comes.
    proxy.failingSinceMs = undefined
    proxies.delete(address)
    waiting.set(address, proxy)
    unanswered--
  }
  while (waiting.size > 0 && unanswered < maxUnanswered) {
    const [first] = waiting
    const next = [...waiting].find(([, proxy]) => !isSilent(proxy)) ?? first
    if (next === undefined) break
    waiting.delete(next[0])
    proxies.set(...next)
    unanswered++
  }
  return isNews
}

/** Whether the last request to a proxy failed. */
export function isSilent({ failures }: FollowedProxy): boolean {
  return failures > 0
}

function isAnswering(proxy: FollowedProxy): boolean {
  return proxy.report !== undefined && !isSilent(proxy)
}

/** How many proxies a Gateway has, whether they are asked or wait. */
export function countOf({ proxies, waiting }: FollowedGateway): number {
  return proxies.size + waiting.size
}

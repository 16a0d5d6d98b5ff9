import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../observe/observe.ts'
import type { ProxyReport, Raw } from '../objects/objects.ts'
import type { AskProxy, ProxyAnswer } from './ask-proxy.ts'
import { boundsOfAll, boundsOfGateway, boundsOfNamespace, type Place, Share } from './poll-share.ts'
import type { ProxyAddress } from './proxy-addresses.ts'
import { maxStatusBytes, parseStatus, readProxyReport } from './proxy-report.ts'

/** Asks Gateways' proxies again and again what they serve. */
export interface ProxyPoller {
  /** From now on the proxies of these Gateways, by `ns/name`, are asked, and no others. */
  follow(gateways: ReadonlyMap<string, AskedGateway>): void
  /** Of each Gateway with a known address: what those of its proxies that answer said last, by address. */
  reports(): ReadonlyMap<string, readonly ProxyReport[]>
  /** Gateways whose document became another, or was written, a moment ago. */
  settling(): ReadonlySet<string>
  /** Of the document of each Gateway. */
  digests(): ReadonlyMap<string, string>
  close(): void
}

/** What is known of a Gateway whose proxies are asked. */
export interface AskedGateway {
  /** Of its document; empty without one. */
  readonly digest: string
  /** Reports tell of its servers and agents alone. */
  readonly document: Raw
  /** The version of the Secret with the document; undefined while there is none. */
  readonly version: string | undefined
  /** Without it nothing can be asked. */
  readonly token: string | undefined
  readonly addresses: readonly ProxyAddress[]
}

/** What counts the questions to proxies. */
export interface PollMetrics {
  /** How many proxies are asked what they serve. */
  setProxies(count: number): void
  countPoll(outcome: 'ok' | 'failed'): void
}

export interface PollerDeps {
  readonly ask: AskProxy
  /** What reports tell, or whether a Gateway settles, has become something else. */
  readonly onChange: () => void
  readonly log: Log
  readonly metrics: PollMetrics
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number
  readonly random: () => number
}

interface Followed {
  gateway: AskedGateway
  /** That an answer may have. */
  maxBytes: number
  /** Since when its document is this one, or since it was written. */
  sinceMs: number
  isSettling: boolean
  /** Whether its Secret has become another since the document did: what others write there later is no news of it. */
  isWritten: boolean
  /** Those that are asked, by address. */
  readonly proxies: Map<string, Proxy>
  /** Those that wait until others answer, or have long not answered; with the former as many as the Gateway has addresses. */
  readonly waiting: Map<string, Proxy>
  readonly share: Share
  /** Of its namespace. */
  readonly common: Share
}

interface Proxy {
  isReady: boolean
  isBusy: boolean
  dueMs: number
  /** Times before that at which it is asked too. */
  soonMs: readonly number[]
  /** It is not asked before, whatever has happened: its last answer was dear. */
  restsUntilMs: number
  failures: number
  failingSinceMs: number | undefined
  hasSaidSilent: boolean
  report: ProxyReport | undefined
}

const everyMs = 4000
/** How long after something new it is asked for once more. */
const soonAfterMs = [100, 300, 1000, 2000] as const
const settleMs = 5000
const firstBackoffMs = 1000
const maxBackoffMs = 15_000
/** What one said that has not answered for so long is forgotten. */
const silentMs = 10_000
/** Between the beginnings of two requests: at most 50 a second. */
const spaceMs = 20
/** Of a Gateway's addresses at most so many are asked that don't answer. */
const maxUnanswered = 32
/** What is to be asked soon goes before what is merely late. */
const aheadMs = 3_600_000
/** Of an answer, for which the next request waits a second longer: reading large ones costs as much as many small ones. */
const bytesPerSecond = 128 * 1024
/** To receive so many takes a millisecond at most, beside the time to read them. */
const bytesPerMs = 64 * 1024
/** The time that an answer took is so much of what its proxy, and of what all, may take until the next request. */
const restOfProxy = 50
const restOfAll = 10
const maxRestOfAllMs = 1000
/** Changes are told at once, and then so often at most: each is a translation. */
const tellMs = 1000

export function createProxyPoller({ ask, onChange, log, metrics, now, random }: PollerDeps): ProxyPoller {
  /** By `ns/name`. */
  let followed = new Map<string, Followed>()
  const end = new AbortController()
  const all = new Share(boundsOfAll)
  /** Of namespaces that have Gateways, or requests under way. */
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

  /** Asks the proxy whose turn it is, looks at what time alone has changed, and comes back for the next. */
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

  function hasRoom({ share, common, maxBytes }: Followed, isSilent: boolean): boolean {
    const place = { isSilent, bytes: maxBytes }
    return all.hasRoom(place) && common.hasRoom(place) && share.hasRoom(place)
  }

  /** When to look again whether it has settled. */
  function settle(one: Followed, nowMs: number): number {
    const atMs = one.sinceMs + settleMs
    if (nowMs < atMs) return atMs
    one.isSettling = false
    // Where all serve it, that was told.
    const reports = [...one.proxies.values()].map(({ report }) => report?.digest)
    if (reports.length === 0 || reports.some((digest) => digest !== one.gateway.digest)) tell()
    return Number.POSITIVE_INFINITY
  }

  /** When to look again whether what it said is to be forgotten. */
  function forget(proxy: Proxy, nowMs: number): number {
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
    chooseAsked(one)
    pump()
  }

  /** An answer, also one in vain, is paid for by its proxy, by the next turns of its Gateway and namespace, and by a rest of all. */
  function rest({ share, common }: Followed, proxy: Proxy, costMs: number): void {
    const nowMs = now()
    proxy.restsUntilMs = nowMs + Math.min(maxBackoffMs, costMs * restOfProxy)
    share.turnMs += costMs * restOfAll
    common.turnMs += costMs * restOfAll
    freeMs = Math.min(Math.max(freeMs, nowMs) + costMs * restOfAll, nowMs + maxRestOfAllMs)
  }

  function fail(proxy: Proxy, address: string, sinceMs: number, text: string): void {
    log.debug({ address, text }, 'a proxy was asked in vain')
    proxy.failingSinceMs ??= sinceMs
    if (proxy.isReady && !proxy.hasSaidSilent && now() - proxy.failingSinceMs >= silentMs) {
      proxy.hasSaidSilent = true
      log.warn({ address, text }, 'a proxy is ready and does not say what it serves: look whether a NetworkPolicy lets the controller in')
    }
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(proxy.failures++, 10))
    proxy.dueMs = now() + backoffMs * (0.9 + 0.1 * random())
  }

  /** Those that have long not answered make room for others, which take their turn after them. */
  function chooseAsked({ proxies, waiting }: Followed): void {
    let unanswered = 0
    for (const proxy of proxies.values()) if (!isAnswering(proxy)) unanswered++
    for (const [address, proxy] of proxies) {
      if (unanswered + Math.min(waiting.size, 1) <= maxUnanswered) break
      if (proxy.isBusy || proxy.failingSinceMs === undefined || now() - proxy.failingSinceMs < silentMs) continue
      if (proxy.report !== undefined) tell()
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
  }

  /** @param key of a Gateway */
  function commonOf(key: string): Share {
    const namespace = namespaceOf(key)
    const share = namespaces.get(namespace) ?? new Share(boundsOfNamespace)
    namespaces.set(namespace, share)
    return share
  }

  /** The Gateway as it is to be followed from now on. */
  function updated(known: Followed | undefined, gateway: AskedGateway, common: Share): Followed {
    const nowMs = now()
    const soonMs = soonAfterMs.map((afterMs) => nowMs + afterMs)
    const one = known ?? newlyFollowed(gateway, common, nowMs)
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
        if (report !== undefined) tell()
      }
    }
    for (const [address, isReady] of addresses) {
      const proxy = one.proxies.get(address) ?? one.waiting.get(address)
      if (proxy === undefined) {
        // That there is one is something to tell of, even if it never answers.
        if (countOf(one) === 0) tell()
        one.waiting.set(address, { ...unasked, isReady, dueMs: nowMs, soonMs })
      } else {
        const isNewlyReady = isReady && !proxy.isReady
        if (isOther || isRewritten || isNewlyReady) proxy.soonMs = soonMs
        if (isNewlyReady) proxy.failures = 0
        proxy.isReady = isReady
      }
    }
    chooseAsked(one)
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

const unasked = {
  isBusy: false,
  restsUntilMs: Number.NEGATIVE_INFINITY,
  failures: 0,
  failingSinceMs: undefined,
  hasSaidSilent: false,
  report: undefined,
} as const satisfies Partial<Proxy>

/** A proxy whose time has come. */
interface Due {
  readonly one: Followed
  readonly address: string
  readonly proxy: Proxy
  /** The least first, of one Gateway. */
  readonly orderMs: number
}

/** Turns go round namespaces, then Gateways, then proxies. */
function isBefore({ one, orderMs }: Due, other: Due): boolean {
  if (one.common !== other.one.common) return one.common.turnMs < other.one.common.turnMs
  return one === other.one ? orderMs < other.orderMs : one.share.turnMs < other.one.share.turnMs
}

function newlyFollowed(gateway: AskedGateway, common: Share, nowMs: number): Followed {
  const more = { proxies: new Map<string, Proxy>(), waiting: new Map<string, Proxy>(), share: new Share(boundsOfGateway), common }
  return { gateway, maxBytes: maxStatusBytes(gateway.document), sinceMs: nowMs, isSettling: true, isWritten: false, ...more }
}

function isSilent({ failures }: Proxy): boolean {
  return failures > 0
}

function isAnswering(proxy: Proxy): boolean {
  return proxy.report !== undefined && !isSilent(proxy)
}

type Read = { readonly kind: 'report'; readonly report: ProxyReport } | { readonly kind: 'failed'; readonly text: string }

function readAnswer(answer: ProxyAnswer, document: Raw): Read {
  const parsed = answer.kind === 'failed' ? answer : parseStatus(answer.body)
  if (parsed.kind === 'failed') return parsed
  const report = readProxyReport(parsed.status, document)
  return report === undefined ? { kind: 'failed', text: 'answered with something that is no status' } : { kind: 'report', report }
}

function countOf({ proxies, waiting }: Followed): number {
  return proxies.size + waiting.size
}

/** @param key `ns/name` */
function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'))
}

import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../observe/observe.ts'
import type { AskProxy, ProxyAnswer } from './ask-proxy.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { ProxyReport, Raw } from './model.ts'
import type { ProxyAddress } from './proxy-addresses.ts'
import { readProxyReport } from './proxy-report.ts'

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

export interface PollerDeps {
  readonly ask: AskProxy
  /** What reports tell, or whether a Gateway settles, has become something else. */
  readonly onChange: () => void
  readonly log: Log
  readonly metrics: Pick<ControllerMetrics, 'setProxies' | 'countPoll'>
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number
  readonly random: () => number
}

interface Followed {
  gateway: AskedGateway
  /** Since when its document is this one, or since it was written. */
  sinceMs: number
  isSettling: boolean
  /** Whether its Secret has become another since the document did: what others write there later is no news of it. */
  isWritten: boolean
  /** By address; as many as the Gateway has addresses. */
  readonly proxies: Map<string, Proxy>
  busy: number
}

interface Proxy {
  isReady: boolean
  isBusy: boolean
  dueMs: number
  /** Times before that at which it is asked too. */
  soonMs: readonly number[]
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
/** Of that, what is asked in its turn takes no more than so much. */
const shareMs = 25
const maxBusy = 16
/** One Gateway's silent proxies don't take the room of all others. */
const maxBusyOfGateway = 4
/** Of an answer, for which the next request waits a second longer: reading large ones costs as much as many small ones. */
const bytesPerSecond = 128 * 1024
/** Changes are told at once, and then so often at most: each is a translation. */
const tellMs = 1000

export function createProxyPoller({ ask, onChange, log, metrics, now, random }: PollerDeps): ProxyPoller {
  /** By `ns/name`. */
  let followed = new Map<string, Followed>()
  const end = new AbortController()
  let busy = 0
  let alarm: NodeJS.Timeout | undefined
  let startedMs = Number.NEGATIVE_INFINITY
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

  /** Asks the proxy that waits longest, looks at what time alone has changed, and comes back for the next. */
  function pump(): void {
    clearTimeout(alarm)
    if (end.signal.aborted) return
    const nowMs = now()
    let first: { readonly one: Followed; readonly address: string; readonly proxy: Proxy; readonly atMs: number } | undefined
    let nextMs = Number.POSITIVE_INFINITY
    for (const one of followed.values()) {
      if (one.isSettling) nextMs = Math.min(nextMs, settle(one, nowMs))
      for (const [address, proxy] of one.proxies) {
        nextMs = Math.min(nextMs, forget(proxy, nowMs))
        if (proxy.isBusy || one.gateway.token === undefined || one.busy >= maxBusyOfGateway) continue
        const atMs = Math.min(proxy.dueMs, proxy.soonMs[0] ?? Number.POSITIVE_INFINITY)
        if (atMs < (first?.atMs ?? Number.POSITIVE_INFINITY)) first = { one, address, proxy, atMs }
      }
    }
    if (first !== undefined && busy < maxBusy) {
      const atMs = Math.max(first.atMs, startedMs + spaceMs)
      if (atMs <= nowMs) {
        startedMs = nowMs
        void carryOut(first.one, first.address, first.proxy)
        nextMs = Math.min(nextMs, nowMs + spaceMs)
      } else nextMs = Math.min(nextMs, atMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) alarm = setTimeout(pump, Math.ceil(Math.max(0, nextMs - nowMs))).unref()
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

  async function carryOut(one: Followed, address: string, proxy: Proxy): Promise<void> {
    const sinceMs = now()
    proxy.isBusy = true
    proxy.soonMs = proxy.soonMs.filter((atMs) => atMs > sinceMs)
    busy++
    one.busy++
    const answer = await ask(address, one.gateway.token ?? '', end.signal)
    busy--
    one.busy--
    proxy.isBusy = false
    if (end.signal.aborted || one.proxies.get(address) !== proxy) return pump()
    const report = answer.kind === 'status' ? readProxyReport(answer.status, one.gateway.document) : undefined
    metrics.countPoll(report === undefined ? 'failed' : 'ok')
    if (report === undefined) fail(proxy, address, sinceMs, answer)
    else {
      proxy.failures = 0
      proxy.failingSinceMs = undefined
      proxy.dueMs = now() + intervalMs(answer) * (0.9 + 0.2 * random())
      if (!isDeepStrictEqual(report, proxy.report)) {
        proxy.report = report
        tell()
      }
    }
    pump()
  }

  function fail(proxy: Proxy, address: string, sinceMs: number, answer: ProxyAnswer): void {
    const text = answer.kind === 'failed' ? answer.text : 'answered with something that is no status'
    log.debug({ address, text }, 'a proxy was asked in vain')
    proxy.failingSinceMs ??= sinceMs
    if (proxy.isReady && !proxy.hasSaidSilent && now() - proxy.failingSinceMs >= silentMs) {
      proxy.hasSaidSilent = true
      log.warn({ address, text }, 'a proxy is ready and does not say what it serves: look whether a NetworkPolicy lets the controller in')
    }
    const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(proxy.failures++, 10))
    proxy.dueMs = now() + backoffMs * (0.9 + 0.1 * random())
  }

  function intervalMs(answer: ProxyAnswer): number {
    const bytes = answer.kind === 'status' ? answer.bytes : 0
    return Math.max(everyMs, countOf(followed) * shareMs, (bytes / bytesPerSecond) * 1000)
  }

  /** The Gateway as it is to be followed from now on. */
  function updated(known: Followed | undefined, gateway: AskedGateway): Followed {
    const nowMs = now()
    const soonMs = soonAfterMs.map((afterMs) => nowMs + afterMs)
    const one = known ?? { gateway, sinceMs: nowMs, isSettling: true, isWritten: false, proxies: new Map<string, Proxy>(), busy: 0 }
    const isOther = one.gateway.digest !== gateway.digest
    const isRewritten = one.gateway.version !== gateway.version
    if (isOther || (isRewritten && !one.isWritten)) Object.assign(one, { sinceMs: nowMs, isSettling: true, isWritten: !isOther })
    one.gateway = gateway
    const addresses = new Map(gateway.addresses.map(({ address, isReady }) => [address, isReady]))
    for (const [address, { report }] of one.proxies) {
      if (addresses.has(address)) continue
      one.proxies.delete(address)
      if (report !== undefined) tell()
    }
    for (const [address, isReady] of addresses) {
      const proxy = one.proxies.get(address)
      if (proxy === undefined) {
        // That there is one is something to tell of, even if it never answers.
        if (one.proxies.size === 0) tell()
        one.proxies.set(address, { ...unasked, isReady, dueMs: nowMs, soonMs })
      } else {
        if (isOther || isRewritten || (isReady && !proxy.isReady)) proxy.soonMs = soonMs
        proxy.isReady = isReady
      }
    }
    return one
  }

  return {
    follow(gateways) {
      for (const [key, { proxies }] of followed) if (!gateways.has(key)) proxies.clear()
      followed = new Map([...gateways].map(([key, gateway]) => [key, updated(followed.get(key), gateway)]))
      metrics.setProxies(countOf(followed))
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
  failures: 0,
  failingSinceMs: undefined,
  hasSaidSilent: false,
  report: undefined,
} as const satisfies Partial<Proxy>

function countOf(followed: ReadonlyMap<string, Followed>): number {
  let count = 0
  for (const { proxies } of followed.values()) count += proxies.size
  return count
}

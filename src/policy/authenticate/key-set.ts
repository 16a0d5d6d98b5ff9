import type { Log } from '../../observe/observe.ts'
import { discover, keysUrl } from './discover.ts'
import { fetchJson } from './fetch-json.ts'
import type { JwtSettings, KeySource } from './settings.ts'
import { readSigningKeys, type SigningKey } from './signing-key.ts'

/** The keys of one issuer, renewed in the background. */
export interface KeySet {
  /** The keys that may have signed a token with this header. For an unknown `kid` the issuer is asked again, at most every 30 s. */
  find(algorithm: string, kid: string | undefined): Promise<KeysFound>
  /** Whether the issuer still publishes this key, as far as is known. */
  holds(key: SigningKey): boolean
  /** Renews the keys in the background if they are due; it must be called about every second. */
  tick(): void
  /** Why its tokens can't be judged now; undefined where they can, or where the first answer has not come yet. */
  readonly fault: string | undefined
  /** Resolves when no request is in progress. */
  idle(): Promise<void>
  close(): void
}

/** `unreachable`: the issuer can't be asked, so it is not known whether the token is good. */
export type KeysFound =
  | { readonly kind: 'keys'; readonly keys: readonly SigningKey[] }
  | { readonly kind: 'unreachable'; readonly retryAfterMs: number }

export interface KeySetDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
  readonly onKeysLost?: () => void
}

/** How long keys that can't be renewed stay valid. */
const staleMs = 24 * 3600 * 1000
/** Time between two requests for an unknown `kid`, so that made-up ones can't make mcplex flood the issuer. */
const unknownKidMs = 30_000
/** Time between two attempts while the issuer doesn't answer. */
const retryMs = 30_000
/** The same as long as there are no keys at all. */
const coldRetryMs = 2000
const fetchMs = 5000
/** The time limit for fetching metadata and keys. */
const renewMs = 10_000
const maxBytes = 1024 * 1024
/** How many keys are tried for a token without `kid`. */
const maxTried = 8

/** Inline keys are there at once. Others are fetched from now on; nobody waits for the first fetch unless a token needs it. */
export function createKeySet({ issuer, keys: source, algorithms }: JwtSettings, deps: KeySetDeps): KeySet {
  if (source.kind !== 'inline') return createFetchedKeySet(issuer, source, algorithms, deps)
  const keys = readSigningKeys(JSON.parse(source.jwks), algorithms)?.keys ?? []
  if (keys.length === 0) deps.log.warn({ issuer }, 'none of the keys written for an issuer can be used: all its tokens are refused')
  const live = new Set(keys)
  return {
    find: async (algorithm, kid) => ({ kind: 'keys', keys: matching(keys, algorithm, kid) }),
    holds: (key) => live.has(key),
    tick: () => {},
    fault: undefined,
    idle: async () => {},
    close: () => {},
  }
}

type FetchedSource = Exclude<KeySource, { readonly kind: 'inline' }>

function createFetchedKeySet(
  issuer: string,
  source: FetchedSource,
  algorithms: readonly string[],
  { now, log, onKeysLost }: KeySetDeps,
): KeySet {
  const closing = new AbortController()
  let keys: readonly SigningKey[] | undefined
  let live: ReadonlySet<SigningKey> = new Set()
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let unknownAt = Number.NEGATIVE_INFINITY
  let isFailing = false
  let lastWhy = ''
  let ignored = 0
  let pending: Promise<void> | undefined
  let foundAt: string | undefined

  function take(fetched: readonly SigningKey[] | undefined): void {
    const before = keys ?? []
    keys = fetched
    live = new Set(fetched)
    if (before.some((key) => !live.has(key))) onKeysLost?.()
  }

  async function fetchKeys(): Promise<string | undefined> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(renewMs)])
    const { ca } = source
    let url = source.kind === 'url' ? source.url : ''
    if (source.kind === 'discovery') {
      const found = await discover(issuer, { ca, signal, timeoutMs: fetchMs, first: foundAt })
      if (found.kind === 'failed') return found.why
      foundAt = found.url
      const place = keysUrl(issuer, found.metadata)
      if ('why' in place) return place.why
      url = place.url
    }
    const fetched = await fetchJson(url, { ca, signal, timeoutMs: fetchMs, maxBytes })
    if (fetched.kind === 'failed') return `${withoutQuery(url)}: ${fetched.why}`
    const read = readSigningKeys(fetched.value, algorithms, keys)
    if (read === undefined) return `${withoutQuery(url)}: it is not a JWK set`
    const before = keys?.length
    take(read.keys)
    fetchedAt = now()
    if (read.keys.length === 0 && before !== 0) log.warn({ issuer }, 'an issuer has no key that can be used: all its tokens are refused')
    else if (read.ignored !== ignored)
      log.debug({ issuer, used: read.keys.length, ignored: read.ignored }, "some of an issuer's keys are not used")
    ignored = read.ignored
    return undefined
  }

  function renew(): Promise<void> {
    if (closing.signal.aborted) return Promise.resolve()
    if (pending !== undefined) return pending
    triedAt = now()
    pending = fetchKeys().then((why) => {
      pending = undefined
      if (closing.signal.aborted) return
      if (why !== undefined && !isFailing) log.warn({ issuer, why }, keys === undefined ? noKeys : staleKeys)
      if (why === undefined && isFailing) log.info({ issuer }, "an issuer's keys can be fetched again")
      isFailing = why !== undefined
      lastWhy = why ?? ''
    })
    return pending
  }

  function forgetStale(): void {
    if (keys !== undefined && now() - fetchedAt >= staleMs) take(undefined)
  }

  const sinceTried = () => now() - triedAt
  /** Whether a time is over; also where the clock was set back, which is no reason to wait. */
  const isOver = (elapsedMs: number, ms: number) => elapsedMs >= ms || elapsedMs < 0

  void renew()
  return {
    async find(algorithm, kid) {
      forgetStale()
      if (keys === undefined && (pending !== undefined || isOver(sinceTried(), coldRetryMs))) await renew()
      if (keys === undefined) return { kind: 'unreachable', retryAfterMs: coldRetryMs }
      let found = matching(keys, algorithm, kid)
      if (found.length > 0) return { kind: 'keys', keys: found }
      if (pending === undefined && isOver(now() - unknownAt, unknownKidMs)) {
        unknownAt = now()
        void renew()
      }
      await pending
      found = matching(keys ?? [], algorithm, kid)
      return found.length === 0 && isFailing ? { kind: 'unreachable', retryAfterMs: retryMs } : { kind: 'keys', keys: found }
    },
    holds: (key) => live.has(key),
    tick() {
      forgetStale()
      const wait = keys === undefined ? coldRetryMs : Math.min(source.refreshMs, retryMs)
      const isDue = keys === undefined || isOver(now() - fetchedAt, source.refreshMs)
      if (isDue && isOver(sinceTried(), wait)) void renew()
    },
    get fault() {
      return keys === undefined && isFailing
        ? `the keys of issuer ${issuer} can't be fetched, so its tokens get 503: ${lastWhy}`
        : undefined
    },
    idle: async () => pending,
    close: () => closing.abort(),
  }
}

const noKeys = "an issuer's keys can't be fetched: its callers get 503 until they can"
const staleKeys = "an issuer's keys can't be fetched: those it had are good for 24 h"

/** A URL for the log, without its query, which may hold a secret. */
function withoutQuery(url: string): string {
  return url.split('?')[0] ?? ''
}

/** The keys that fit a header: without a `kid` all of that algorithm, else only those with that `kid`. */
function matching(keys: readonly SigningKey[], algorithm: string, kid: string | undefined): readonly SigningKey[] {
  return keys.filter((key) => key.algorithms.includes(algorithm) && (kid === undefined || key.kid === kid)).slice(0, maxTried)
}

import type { Log } from '../../observe/observe.ts'
import { discover } from './discover.ts'

/** An issuer's metadata (RFC 8414, section 2): the members that are checked, and all others as they were received. */
export interface IssuerMetadata {
  readonly [member: string]: unknown
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
}

export interface IssuerMetadataDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
}

const freshMs = 5 * 60 * 1000
const retryMs = 10_000
/** The time limit for trying all URLs. */
const timeoutMs = 5000

/**
 * Provides an issuer's metadata, fetched at most once in 5 minutes; undefined until it was fetched once. While the issuer fails, the last
 * metadata stays in use and the issuer is tried again every 10 s. Concurrent callers share one request, and one document is kept.
 * @param ca PEM text of the authorities to trust instead of the system's
 */
export function createIssuerMetadata(
  issuer: string,
  ca: string | undefined,
  { now, log }: IssuerMetadataDeps,
): () => Promise<IssuerMetadata | undefined> {
  let last: { readonly metadata: IssuerMetadata; readonly url: string; readonly atMs: number } | undefined
  let failedAtMs = Number.NEGATIVE_INFINITY
  let flight: Promise<void> | undefined

  async function refresh(): Promise<void> {
    const found = await discover(issuer, { ca, timeoutMs, signal: AbortSignal.timeout(timeoutMs), first: last?.url })
    const metadata = found.kind === 'failed' ? found.why : withEndpoints(found.metadata, issuer)
    if (found.kind === 'found' && typeof metadata !== 'string') {
      last = { metadata, url: found.url, atMs: now() }
      return
    }
    failedAtMs = now()
    log.warn({ issuer, why: metadata, isKnown: last !== undefined }, "what clients need to log in can't be had from the issuer")
  }

  return async () => {
    const isFresh = last !== undefined && now() - last.atMs < freshMs
    if (!isFresh && now() - failedAtMs >= retryMs) {
      flight ??= refresh().finally(() => {
        flight = undefined
      })
      await flight
    }
    return last?.metadata
  }
}

/** The metadata, if clients can log in with it; else what it lacks. */
function withEndpoints(metadata: Readonly<Record<string, unknown>>, issuer: string): IssuerMetadata | string {
  const { authorization_endpoint, token_endpoint } = metadata
  if (!isWebUrl(authorization_endpoint)) return 'its `authorization_endpoint` is not a URL'
  if (!isWebUrl(token_endpoint)) return 'its `token_endpoint` is not a URL'
  return { ...metadata, issuer, authorization_endpoint, token_endpoint }
}

function isWebUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
}

import type { Log } from '../../observe/observe.ts'
import { discover } from './discover.ts'

/** What an issuer publishes about itself (RFC 8414, section 2): the members that are checked, and all others as they came. */
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
/** Of all places that are tried, together. */
const timeoutMs = 5000

/**
 * Gives an issuer's metadata, asked for once every 5 minutes at most; undefined as long as none could be had. What was had last is
 * given on while the issuer fails, which is asked again after 10 s. All who wait, wait for one request. One document is kept.
 * @param ca authorities to trust instead of the system's, as PEM text
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

/** Metadata by which clients can log in, or what it lacks. */
function withEndpoints(metadata: Readonly<Record<string, unknown>>, issuer: string): IssuerMetadata | string {
  const { authorization_endpoint, token_endpoint } = metadata
  if (!isWebUrl(authorization_endpoint)) return 'its `authorization_endpoint` is not a URL'
  if (!isWebUrl(token_endpoint)) return 'its `token_endpoint` is not a URL'
  return { ...metadata, issuer, authorization_endpoint, token_endpoint }
}

function isWebUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
}

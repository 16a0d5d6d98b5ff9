import { hash } from 'node:crypto'
import { anonymous, type Caller, type Head, type Reason, type Refusal, refuse } from '../../mcp/mcp.ts'
import { createCertificateCallers } from './certificate-callers.ts'
import { readCredential } from './credential.ts'
import type { AuthenticateDeps } from './deps.ts'
import { callersOfKeys } from './key-callers.ts'
import { createKeySet } from './key-set.ts'
import { type ChallengeError, challengeHeader, type Metadata, metadataFor } from './metadata.ts'
import { createRefusalLog } from './refusal-log.ts'
import { type Rejection, rejections } from './rejections.ts'
import type { AuthenticateSettings } from './settings.ts'
import { isStillGood, type VerifiedToken, VerifiedTokens } from './verified-tokens.ts'
import { type Verification, verifyToken } from './verify-token.ts'

/**
 * Authenticates callers. There is one for each `authenticate` of the document; it is kept over a reload that does not change its settings.
 */
export interface Authenticator {
  /**
   * Authenticates a request; synchronously where its credential is known already. A credential gives the same Caller object for as long as
   * it is remembered.
   */
  admit(head: Head): Caller | Refusal | Promise<Caller | Refusal>
  /** The refusal of a caller who has no credential where one turns out to be needed: 401 with a challenge. */
  challenge(head: Head): Refusal
  /**
   * Whether this caller would still be admitted. False once its credential has expired (`expiresAtMs` includes the leeway) or its key was
   * taken away, and for callers of another authenticator.
   */
  isValid(caller: Caller): boolean
  /**
   * The document about the endpoint at `path` that an MCP client reads on its way to a token, such as RFC 9728 metadata; undefined where
   * there is none.
   * @param wanted the path of the request without the endpoint's own, such as `/.well-known/oauth-protected-resource`
   * @param body the text of a POST's body
   */
  metadata(head: Head, wanted: string, path: string, body?: string): ReturnType<Metadata>
  /** Why tokens of some issuers can't be judged now, a sentence each. */
  readonly faults: readonly string[]
  /** Whether nobody can be let in now, whatever they show: no issuer's tokens can be judged, and there is no other way. */
  readonly isShut: boolean
  /** Resolves once every issuer has been asked for its keys. */
  asked(): Promise<void>
  close(): void
}

const cacheLimits = { entries: 10_000, bytes: 64 * 1024 * 1024 }
/** How often keys are checked for being due to be renewed. */
const tickMs = 1000

type Why = Rejection | 'faulty' | 'no-such-key' | 'certificate-expired' | 'scope' | 'unreachable'

/** Starts to fetch the issuers' keys in the background, so that the first callers need not wait for them. */
export function createAuthenticator(settings: AuthenticateSettings, deps: AuthenticateDeps): Authenticator {
  const { mode, mtls } = settings
  const { now } = deps
  const issuers = settings.jwt.map((one) => ({ settings: one, keys: createKeySet(one, deps) }))
  const keyCallers = callersOfKeys(settings.apiKeys)
  const certificateCallers = createCertificateCallers()
  const taken = { apiKeys: keyCallers.size > 0, mtls }
  const verified = new VerifiedTokens(cacheLimits)
  const proofs = new WeakMap<Caller, VerifiedToken | 'unconditional'>()
  for (const caller of keyCallers.values()) proofs.set(caller, 'unconditional')
  /** Verifications in progress, by the digest of the token: at most as many as there are requests that wait. */
  const pending = new Map<string, Promise<Verification>>()
  const logRefusal = createRefusalLog<Why>(deps)
  const ticker = setInterval(() => {
    for (const { keys } of issuers) keys.tick()
  }, tickMs).unref()

  function refused(head: Head, reason: Reason, text: string, error: ChallengeError): Refusal {
    return refuse(reason, text, { headers: { 'www-authenticate': challengeHeader(settings, head, error) } })
  }

  function refusedToken(head: Head, why: Rejection, words: Readonly<Record<string, string | undefined>> = {}): Refusal {
    logRefusal(why, words)
    const description = rejections[why]
    return refused(head, 'unauthenticated', `the bearer token is refused: ${description}`, { error: 'invalid_token', description })
  }

  function admitToken(head: Head, token: string): Caller | Refusal | Promise<Caller | Refusal> {
    const digest = hash('sha256', token, 'hex')
    const keyCaller = keyCallers.get(digest)
    if (keyCaller !== undefined) return keyCaller
    if (issuers.length === 0) return refusedToken(head, 'malformed')
    const known = verified.get(digest, now())
    if (known !== undefined) return known.caller
    let verification = pending.get(digest)
    if (verification === undefined) {
      verification = verify(token, digest)
      pending.set(digest, verification)
    }
    return verification.then((done) => admitVerified(head, done))
  }

  async function verify(token: string, digest: string): Promise<Verification> {
    try {
      const done = await verifyToken(token, issuers, now)
      if (done.kind === 'verified') {
        verified.add(digest, done)
        proofs.set(done.caller, done)
      }
      return done
    } finally {
      pending.delete(digest)
    }
  }

  function admitVerified(head: Head, done: Verification): Caller | Refusal {
    switch (done.kind) {
      case 'verified':
        if (isStillGood(done, now())) return done.caller
        return refusedToken(head, now() < done.caller.expiresAtMs ? 'key-unknown' : 'expired')
      case 'rejected':
        return refusedToken(head, done.why, { issuer: done.issuer, kid: done.kid })
      case 'scope': {
        logRefusal('scope', { issuer: done.issuer })
        const description = `it lacks a scope that every caller needs: ${done.required.join(' ')}`
        const error = { error: 'insufficient_scope', description, scopes: done.required } as const
        return refused(head, 'scope', `the bearer token is refused: ${description}`, error)
      }
      case 'unreachable': {
        logRefusal('unreachable', { issuer: done.issuer })
        const headers = { 'retry-after': String(Math.ceil(done.retryAfterMs / 1000)) }
        return refuse('overloaded', "the identity provider can't be reached to check the token: try again later", { headers })
      }
    }
  }

  const authenticator: Authenticator = {
    admit(head) {
      const credential = readCredential(head, taken)
      switch (credential.kind) {
        case 'none':
          return mode === 'optional' ? anonymous : authenticator.challenge(head)
        case 'bearer':
          return admitToken(head, credential.token)
        case 'apiKey': {
          const caller = keyCallers.get(hash('sha256', credential.key, 'hex'))
          if (caller !== undefined) return caller
          logRefusal('no-such-key')
          return refused(head, 'unauthenticated', 'the API key in `X-API-Key` is not known here', {
            error: 'invalid_token',
            description: 'the API key is not known here',
          })
        }
        case 'certificate': {
          const caller = certificateCallers(credential.certificate)
          if (now() < caller.expiresAtMs) {
            proofs.set(caller, 'unconditional')
            return caller
          }
          logRefusal('certificate-expired')
          return refused(head, 'unauthenticated', 'the client certificate has expired: connect with another', {})
        }
        case 'faulty':
          logRefusal('faulty')
          return refused(head, credential.reason, credential.text, {
            error: 'invalid_request',
            description: credential.text.replaceAll('`', '').replaceAll('…', '...'),
          })
      }
    },
    challenge: (head) => refused(head, 'unauthenticated', credentialsTaken(settings), {}),
    isValid(caller) {
      if (caller === anonymous) return mode === 'optional'
      const proof = proofs.get(caller)
      if (proof === undefined) return false
      return proof === 'unconditional' ? now() < caller.expiresAtMs : isStillGood(proof, now())
    },
    metadata: metadataFor(settings, deps),
    get faults() {
      return issuers.flatMap(({ keys }) => keys.fault ?? [])
    },
    get isShut() {
      const hasOtherWay = mode === 'optional' || mtls || keyCallers.size > 0
      return !hasOtherWay && issuers.length > 0 && issuers.every(({ keys }) => keys.fault !== undefined)
    },
    async asked() {
      await Promise.all(issuers.map(({ keys }) => keys.idle()))
    },
    close() {
      clearInterval(ticker)
      for (const { keys } of issuers) keys.close()
    },
  }
  return authenticator
}

/** Which credentials are accepted, in words. */
function credentialsTaken({ jwt, apiKeys, mtls }: AuthenticateSettings): string {
  const ways = [
    ...(jwt.length > 0 ? ['log in and send `Authorization: Bearer <token>`'] : []),
    ...(apiKeys.length > 0 ? ['send an API key as `Authorization: Bearer <key>` or in `X-API-Key`'] : []),
    ...(mtls ? ['show a client certificate'] : []),
  ]
  return ways.length === 0
    ? 'nobody is let in here: no credentials are configured'
    : `Unauthorized: a credential is needed here: ${ways.join(', or ')}`
}

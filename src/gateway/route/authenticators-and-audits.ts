import { createHash, hkdfSync } from 'node:crypto'
import { type Audit as AuditConfig, type Authenticate, type Config, durationMs } from '../../config/config.ts'
import type { Audit, AuditSettings, Log } from '../../observe/observe.ts'
import { type Authenticator, createAuthenticator } from '../../policy/policy.ts'

/** The authenticators and audit logs of one Config. Each is carried over a reload that does not change its settings. */
export interface AuthenticatorsAndAudits {
  authenticator(settings: Authenticate): Authenticator
  audit(settings: AuditConfig): Audit
  /** All that are in use, by a digest of their settings. */
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly audits: ReadonlyMap<string, Audit>
}

export interface AuthenticatorAndAuditDeps {
  /** Gives a secret's value; throws where it is gone. */
  readonly secret: (reference: string) => string
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  readonly log: Log
  /** Called when callers who were let in may have to be shut out, since an issuer has withdrawn keys. */
  readonly onChange: () => void
  readonly openAudit: (settings: AuditSettings) => Audit
  /** The key of digests in audit records, where the document has none: 32 bytes. */
  readonly processKey: Uint8Array
}

/**
 * Makes those that the Config needs, and takes over those of the Config before whose settings are the same.
 * @param opened called with a function that closes what was newly opened, for the case that the rest of the Config can't be compiled
 */
export function createAuthenticatorsAndAudits(
  config: Config,
  deps: AuthenticatorAndAuditDeps,
  previous: AuthenticatorsAndAudits | undefined,
  opened: (close: () => void) => void,
): AuthenticatorsAndAudits {
  // A closure over `previous` would keep all earlier ones alive.
  const [authenticatorsBefore, auditsBefore] = [previous?.authenticators, previous?.audits]
  const authenticators = new Map<string, Authenticator>()
  const audits = new Map<string, Audit>()
  /** By the object in the Config, which is asked for once for each way on which it holds. */
  const seen = new Map<object, Authenticator | Audit>()
  const once = <T extends Authenticator | Audit>(written: object, make: () => T): T => {
    const known = seen.get(written) ?? make()
    seen.set(written, known)
    return known as T
  }
  const kept = <T extends { close(graceMs: number): unknown }>(
    own: Map<string, T>,
    before: ReadonlyMap<string, T> | undefined,
    settings: unknown,
    open: () => T,
  ): T => {
    const key = createHash('sha256').update(JSON.stringify(settings)).digest('hex')
    const known = own.get(key) ?? before?.get(key)
    const keeper = known ?? open()
    if (known === undefined) opened(() => void keeper.close(0))
    own.set(key, keeper)
    return keeper
  }
  return {
    authenticators,
    audits,
    authenticator: (written) =>
      once(written, () => {
        const settings = authenticateSettings(written, deps.secret)
        const open = () => createAuthenticator(settings, { now: deps.wallNow, log: deps.log, onKeysLost: deps.onChange })
        return kept(authenticators, authenticatorsBefore, settings, open)
      }),
    audit: (written) =>
      once(written, () => {
        const settings = auditSettings(written, config, deps)
        const digested = { ...settings, key: Buffer.from(settings.key).toString('hex') }
        return kept(audits, auditsBefore, digested, () => deps.openAudit(settings))
      }),
  }
}

function authenticateSettings({ mode, jwt, apiKeys, mtls, mcp }: Authenticate, secret: AuthenticatorAndAuditDeps['secret']) {
  return {
    mode,
    mtls,
    jwt: jwt.map(({ issuer, audiences, jwks, algorithms, scopes, leeway }) => {
      const refreshMs = durationMs(jwks?.refresh ?? '5m')
      const keys =
        jwks?.inline !== undefined
          ? ({ kind: 'inline', jwks: jwks.inline } as const)
          : jwks?.url !== undefined
            ? ({ kind: 'url', url: jwks.url, refreshMs, ca: jwks.ca } as const)
            : ({ kind: 'discovery', refreshMs, ca: jwks?.ca } as const)
      return { issuer, audiences, keys, algorithms, scopes, leewayMs: durationMs(leeway) }
    }),
    apiKeys: apiKeys.map(({ id, sha256, claims }) => ({ id, digest: secret(sha256).toLowerCase(), claims })),
    mcp:
      mcp === undefined
        ? undefined
        : {
            provider: mcp.provider,
            clientId: mcp.clientId,
            resource: mcp.resourceMetadata.resource,
            scopesSupported: mcp.resourceMetadata.scopesSupported,
            resourceName: mcp.resourceMetadata.resourceName,
            resourceDocumentation: mcp.resourceMetadata.resourceDocumentation,
          },
  }
}

function auditSettings(written: AuditConfig, config: Config, { secret, processKey }: AuthenticatorAndAuditDeps): AuditSettings {
  const [first] = config.sessions.keys
  const own = written.key === undefined ? undefined : Buffer.from(secret(written.key), 'base64')
  const derived =
    first === undefined ? undefined : Buffer.from(hkdfSync('sha256', Buffer.from(secret(first.secret), 'base64'), '', 'mcplex audit', 32))
  return {
    sinks: written.sinks.map((sink) => {
      if (sink.file !== undefined) return { kind: 'file', path: sink.file }
      if (sink.http === undefined) return { kind: 'stdout' }
      const headers = Object.fromEntries(Object.entries(sink.http.headers).map(([name, value]) => [name, secret(value)]))
      return { kind: 'http', url: sink.http.url, headers }
    }),
    chain: written.chain,
    whenFull: written.whenFull,
    arguments: written.arguments,
    redact: written.redact,
    key: own ?? derived ?? processKey,
    // A derived key can't be given to those who verify the audit log.
    isKeyLasting: own !== undefined,
  }
}

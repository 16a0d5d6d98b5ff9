import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import type { SecureContext, SecureContextOptions } from 'node:tls'

/** The TLS settings of a listener: its certificates, and the authorities it trusts for clients'. Keys are resolved. */
export interface TlsListener {
  readonly name: string
  /** As in the configuration, in lower case; `*.` may stand first. Undefined: any host. */
  readonly hostname: string | undefined
  /** PEM texts, at least one pair. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[]
  /** PEM text of the authorities of clients' certificates; undefined: clients are not asked for any. */
  readonly clientCa: string | undefined
}

/** One listener as TLS sees it. To clients, two with equal `shows` and `trusts` are the same. */
export interface TlsSite {
  /** Identifies its certificates: equal for equal ones. */
  readonly shows: string
  /** Identifies its authorities for clients' certificates; undefined where it has none. */
  readonly trusts: string | undefined
  /** A context with the first certificate for this server name, else with the first one. */
  contextFor(serverName: string | undefined): SecureContext
}

/** The TLS settings of all listeners that share a socket. It is immutable; a change of the configuration makes a new one. */
export interface TlsPlan {
  readonly kind: 'plan'
  /** Whether clients are asked for a certificate. This holds for the whole socket, also for its listeners without authorities. */
  readonly asksClients: boolean
  /** Identifies which listener trusts which authorities: if it is equal, nothing has changed for clients' certificates. */
  readonly trust: string
  /** The settings for clients that send no server name. */
  readonly base: SecureContextOptions
  /** Certificates that clients will reject. */
  readonly warnings: readonly TlsWarning[]
  /**
   * The listener for a server name of TLS (RFC 6066 section 3): the one with this hostname, else the one without a hostname, else the
   * first.
   */
  siteFor(serverName: string | undefined): TlsSite
  /** The listener for the name in `Host`, without port; undefined where none serves it. */
  siteOf(host: string): TlsSite | undefined
}

export interface TlsWarning {
  readonly listener: string
  readonly certificate: string
  readonly text: string
}

/** Why a socket can't speak TLS, in words that hold no secret. */
export interface TlsFault {
  readonly kind: 'fault'
  readonly text: string
}

/**
 * Prepares the TLS settings (TLS 1.2 and later) of the listeners of one socket, at least one.
 * @param now milliseconds since 1970, for warnings about expired certificates
 */
export async function planTls(listeners: readonly TlsListener[], now: number): Promise<TlsPlan | TlsFault> {
  const { createSecureContext } = await import('node:tls')
  const asksClients = listeners.some(({ clientCa }) => clientCa !== undefined)
  const looks = new Set(listeners.map(({ certificates }) => shown(certificates)))
  // A resumed session keeps the certificate of its first connection, but not its server name.
  const canResume = !asksClients && looks.size === 1
  const common: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (canResume ? 0 : constants.SSL_OP_NO_TICKET),
    sessionIdContext: 'mcplex',
  }
  const warnings: TlsWarning[] = []
  const sites: { readonly hostname: string | undefined; readonly site: TlsSite; readonly first: SecureContextOptions }[] = []
  for (const { name, hostname, certificates, clientCa } of listeners) {
    const contexts: { readonly certificate: X509Certificate; readonly context: SecureContext }[] = []
    const optionsOf = (index: number): SecureContextOptions => ({
      ...common,
      ...certificates[index],
      ...(clientCa === undefined ? {} : { ca: clientCa }),
    })
    for (const [index, { cert, key }] of certificates.entries()) {
      const fault = (text: string): TlsFault => ({ kind: 'fault', text: `listener "${name}": tls.certificates[${index}]: ${text}` })
      const certificate = attempt(() => new X509Certificate(cert))
      if (certificate === undefined) return fault('the certificate is not PEM text')
      const privateKey = attempt(() => createPrivateKey(key))
      if (privateKey === undefined) return fault('the key is not PEM text of a private key without a passphrase')
      if (!certificate.checkPrivateKey(privateKey)) return fault('the key is not the key of the certificate')
      const context = attempt(() => createSecureContext(optionsOf(index)))
      if (context === undefined) return fault('OpenSSL refuses it: the chain is broken, or the key is too weak')
      const text = validity(certificate, now)
      if (text !== undefined) warnings.push({ listener: name, certificate: certificate.subject.replaceAll('\n', ','), text })
      contexts.push({ certificate, context })
    }
    const [only] = contexts
    if (only === undefined) return { kind: 'fault', text: `listener "${name}": tls has no certificate` }
    const site: TlsSite = {
      shows: shown(certificates),
      trusts: clientCa,
      contextFor(serverName) {
        if (contexts.length === 1 || serverName === undefined) return only.context
        return (contexts.find(({ certificate }) => certificate.checkHost(serverName) !== undefined) ?? only).context
      },
    }
    sites.push({ hostname, site, first: optionsOf(0) })
  }
  const fallback = sites.find(({ hostname }) => hostname === undefined) ?? sites[0]
  if (fallback === undefined) return { kind: 'fault', text: 'no listener speaks TLS here' }
  const named = siteByName(sites)
  const any = sites.find(({ hostname }) => hostname === undefined)?.site
  return {
    kind: 'plan',
    asksClients,
    trust: JSON.stringify(listeners.map(({ hostname, clientCa }) => [hostname, clientCa])),
    base: fallback.first,
    warnings,
    siteFor: (serverName) => (serverName === undefined ? undefined : named(serverName)) ?? fallback.site,
    siteOf: (host) => named(host) ?? any,
  }
}

/** What later requests need to know of their connection's handshake. */
export interface Handshake {
  readonly serverName: string | undefined
  /** The authorities that its client certificate was verified with. */
  readonly trusts: string | undefined
}

/**
 * Whether a request must be refused with 421 (RFC 9110 section 15.5.20), because its `Host` belongs to a listener with other certificates
 * or authorities than the handshake was made for. A `Host` of no listener is not misdirected.
 */
export function isMisdirected(plan: TlsPlan, { serverName, trusts }: Handshake, host: string): boolean {
  const site = plan.siteOf(host.replace(/:\d+$/, ''))
  return site !== undefined && (site.trusts !== trusts || site.shows !== plan.siteFor(serverName).shows)
}

/** Finds a listener by a host name: exact names go before wildcards, longer wildcards before shorter ones, as for `Host`. */
function siteByName(
  sites: readonly { readonly hostname: string | undefined; readonly site: TlsSite }[],
): (name: string) => TlsSite | undefined {
  const exact = new Map<string, TlsSite>()
  const wild: { readonly suffix: string; readonly site: TlsSite }[] = []
  for (const { hostname, site } of sites) {
    if (hostname?.startsWith('*.')) wild.push({ suffix: hostname.slice(1), site })
    else if (hostname !== undefined && !exact.has(hostname)) exact.set(hostname, site)
  }
  wild.sort((one, other) => other.suffix.length - one.suffix.length)
  return (name) => exact.get(name) ?? wild.find(({ suffix }) => name.length > suffix.length && name.endsWith(suffix))?.site
}

function shown(certificates: TlsListener['certificates']): string {
  return JSON.stringify(certificates.map(({ cert }) => cert))
}

function validity({ validFromDate, validToDate }: X509Certificate, now: number): string | undefined {
  if (validToDate.getTime() < now) return `the certificate expired on ${validToDate.toISOString()}`
  return validFromDate.getTime() > now ? `the certificate is not valid before ${validFromDate.toISOString()}` : undefined
}

/** Undefined where OpenSSL throws: its messages may quote parts of keys, so they are not passed on. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

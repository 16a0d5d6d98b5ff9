import type { Policies } from './policies.ts'
import type { Duration, Secret } from './values.ts'

/** When exposed names carry their server's name: always, only where the backend has several servers, or never. */
export type Prefix = 'always' | 'conditional' | 'never'

export interface Backend {
  readonly servers: Readonly<Record<string, Server>>
  readonly prefix: Prefix
  readonly failure: 'open' | 'closed'
  readonly routing: 'stateful' | 'stateless'
  readonly instructions?: string
  readonly policies?: Policies
}

/** A server behind mcplex: exactly one of `http`, `sse`, `command` and `openapi` is set. */
export interface Server {
  readonly http?: HttpTarget
  readonly sse?: HttpTarget
  readonly command?: Command
  readonly openapi?: Readonly<Record<string, unknown>>
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly timeouts: Timeouts
  /** How long a list of the server is used before it is fetched again. */
  readonly ttl: Duration
  readonly credentials: Credentials
  readonly passHeaders: readonly string[]
  readonly policies?: Policies
}

/** Either `url`, or `host`, `port` and `path` (all three; `tls` then makes it https). `targetUrl` reads both. */
export interface HttpTarget {
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly path?: string
  /** Addresses behind the host as `ip:port` or `[ipv6]:port`; `parseAddress` reads them. */
  readonly endpoints?: readonly string[]
  readonly tls?: TargetTls
}

export interface TargetTls {
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: Secret
  readonly serverName?: string
  /** Whether the server's certificate is not checked. */
  readonly insecure: boolean
}

export interface Command {
  readonly run: readonly string[]
  readonly env: Readonly<Record<string, Secret>>
  readonly cwd?: string
  readonly idle: Duration
  readonly restarts?: { readonly from: Duration; readonly to: Duration }
}

export interface Timeouts {
  readonly connect: Duration
  /** Time limit of a call; a progress notification restarts it. */
  readonly request: Duration
  readonly list: Duration
  /** Time limit of a stream without events; absent: none. */
  readonly idle?: Duration
}

/** `none`, or an object with exactly one kind of credentials (docs/configuration.md, `servers.<name>.credentials`). */
export type Credentials = 'none' | CredentialKinds

export interface CredentialKinds {
  readonly header?: Readonly<Record<string, Secret>>
  readonly clientCredentials?: Readonly<Record<string, unknown>>
  readonly exchange?: Readonly<Record<string, unknown>>
  readonly entra?: Readonly<Record<string, unknown>>
  readonly idJag?: Readonly<Record<string, unknown>>
  readonly login?: Readonly<Record<string, unknown>>
  readonly passthrough?: boolean
  readonly aws?: Readonly<Record<string, unknown>>
  readonly google?: Readonly<Record<string, unknown>>
}

/** A span of time as a GEP-2257 text such as `500ms`, `5s` or `1h30m`; `durationMs` reads it. */
export type Duration = string
/** A number of bytes such as `16KiB` or `4MiB`; `sizeBytes` reads it. */
export type Size = string
/** A text that keeps its `${…}` references; `resolveSecret` gives its value. Never logged or printed when it is a literal. */
export type Secret = string

/**
 * What the document says, in the long form, with all defaults filled: plain JSON, the same from a file and from Kubernetes.
 * Maps keep the document's order. `parseConfig(printConfig(c))` gives an equal one. Keys are those of configuration.md, section 2.
 */
export interface Config {
  /** The version of mcplex that wrote the document for Kubernetes; absent in documents of people. */
  readonly 'mcplex.dev/version'?: string
  readonly listeners: readonly Listener[]
  readonly routes: readonly Route[]
  readonly backends: Readonly<Record<string, Backend>>
  readonly agents: Readonly<Record<string, Agent>>
  readonly policies?: Policies
  readonly sessions: Sessions
  readonly peers?: Peers
  readonly store?: Store
  readonly admin: Admin
  readonly health: Health
  readonly limits: Limits
  readonly observe: Observe
  readonly tests: readonly ToolTest[]
}

/** A socket that takes connections. Two may share address and port where their hostnames differ. */
export interface Listener {
  readonly name: string
  /** An IP address without brackets, or `localhost`. */
  readonly address: string
  /** 0 asks for any free port. */
  readonly port: number
  readonly protocol: 'HTTP' | 'HTTPS'
  /** Lower case; `*.example.com` matches as in the Gateway API. */
  readonly hostname?: string
  readonly tls?: ListenerTls
  /** Accepted `Host` names; absent: derived (configuration.md, Safety). */
  readonly hosts?: readonly string[]
  /** Accepted `Origin`s; absent: derived (configuration.md, Safety). */
  readonly origins?: readonly string[]
  readonly cors?: Cors
  /** The author says that this listener may be open to anybody without authentication. */
  readonly insecure: boolean
  readonly policies?: Policies
}

export interface ListenerTls {
  readonly certificates: readonly { readonly cert: string; readonly key: Secret }[]
  /** PEM text of the authorities whose client certificates are taken for an identity. */
  readonly clientCa?: string
}

export interface Cors {
  readonly allowOrigins?: readonly string[]
  readonly allowMethods?: readonly string[]
  readonly allowHeaders?: readonly string[]
  readonly exposeHeaders?: readonly string[]
  readonly allowCredentials?: boolean
  readonly maxAge?: number
}

export interface Route {
  readonly name: string
  /** Names of listeners, at least one; absent: all of them. */
  readonly listeners?: readonly string[]
  /** Empty: any host. */
  readonly hostnames: readonly string[]
  readonly policies?: Policies
  readonly rules: readonly Rule[]
}

export interface Rule {
  /** At least one; any of them suffices. */
  readonly matches: readonly Match[]
  readonly filters?: readonly unknown[]
  /** Exactly one for now. */
  readonly backends: readonly RuleBackend[]
  readonly timeouts: RuleTimeouts
  readonly policies?: Policies
}

export interface RuleTimeouts {
  readonly request?: Duration
  readonly backendRequest?: Duration
}

/** The Gateway API's HTTPRouteMatch: all that it names must hold. */
export interface Match {
  readonly path: PathMatch
  readonly headers: readonly ValueMatch[]
  readonly queryParams: readonly ValueMatch[]
  readonly method?: string
}

export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value: string
}

/** One header (its name in any case) or one query parameter. */
export interface ValueMatch {
  readonly type: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

/** Where a rule leads: exactly one of `backend`, `agent`, `refuse` (and later `http`) is there. Weight 0 as the only one: no traffic. */
export interface RuleBackend {
  readonly backend?: string
  readonly agent?: string
  readonly refuse?: { readonly status: number; readonly reason?: string }
  readonly http?: HttpTarget
  readonly weight: number
}

/** When tools carry their server's name: in every case, only where the backend has several servers, or never. */
export type Prefix = 'always' | 'conditional' | 'never'

export interface Backend {
  readonly servers: Readonly<Record<string, Server>>
  readonly prefix: Prefix
  readonly failure: 'open' | 'closed'
  readonly routing: 'stateful' | 'stateless'
  readonly instructions?: string
  readonly policies?: Policies
}

/** A server behind us: exactly one of `http`, `sse`, `command` and `openapi` is there. */
export interface Server {
  readonly http?: HttpTarget
  readonly sse?: HttpTarget
  readonly command?: Command
  readonly openapi?: Readonly<Record<string, unknown>>
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly timeouts: Timeouts
  /** How long a list of its tools is used before it is asked again. */
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
  /** `ip:port` or `[ipv6]:port` of what is behind the host; `parseAddress` reads them. */
  readonly endpoints?: readonly string[]
  readonly tls?: TargetTls
}

export interface TargetTls {
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: Secret
  readonly serverName?: string
  /** Does not check the server's certificate. */
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
  /** Of a call; a progress notification restarts it. */
  readonly request: Duration
  readonly list: Duration
  /** Of a stream without events; absent: none. */
  readonly idle?: Duration
}

/** `none`, or an object with exactly one kind of credentials (configuration.md, section 4). */
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

/** What one kind of client may see: a selection of what its backends offer. Nothing selected, nothing seen. */
export interface Agent {
  /** Names of backends. */
  readonly from: readonly string[]
  /** Patterns over `<server>_<tool>`: `*` is any run of characters, a leading `!` takes away; order is of no matter. */
  readonly tools: readonly string[]
  /** Patterns over `<server>_<prompt>`. */
  readonly prompts: readonly string[]
  /** Patterns over `<server>+<uri>`. */
  readonly resources: readonly string[]
  /** The path that `expand` made a route for, for the reader: routes alone decide. */
  readonly path?: string
  /** Absent: its backend's; `always` where it has several. */
  readonly prefix?: Prefix
  readonly instructions?: string
  readonly access?: string
  readonly policies?: Policies
}

/** What holds at a place of the document (docs/configuration.md, policies). `authorize` of all places adds up, of the others the most specific holds. */
export interface Policies {
  readonly authenticate?: Authenticate
  readonly authorize?: Authorize
  readonly rateLimit?: readonly Readonly<Record<string, unknown>>[]
  readonly audit?: Audit
}

/** Who callers must prove to be: by one of the ways that are written here. */
export interface Authenticate {
  /** `optional` lets callers without any credential in as anonymous; a wrong credential is refused in both. */
  readonly mode: 'strict' | 'optional'
  readonly jwt: readonly JwtIssuer[]
  readonly apiKeys: readonly ApiKey[]
  /** A client certificate that the listener's `clientCa` vouches for. */
  readonly mtls: boolean
  readonly mcp?: McpAuthentication
}

export type JwtAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'

/** Tokens of one issuer (RFC 7519, RFC 9068). */
export interface JwtIssuer {
  /** The `iss` of its tokens, character for character. */
  readonly issuer: string
  /** At least one; a token's `aud` must hold one of them, character for character. */
  readonly audiences: readonly string[]
  /** Absent: found by the issuer's metadata (RFC 8414, OpenID Connect Discovery). */
  readonly jwks?: Jwks
  readonly algorithms: readonly JwtAlgorithm[]
  /** Scopes that a token must carry, each; without them the reply is 403. */
  readonly scopes: readonly string[]
  /** By how much clocks may differ; at most 60 s. */
  readonly leeway: Duration
}

/** An issuer's public keys (RFC 7517). With neither `url` nor `inline` they are found by its metadata. */
export interface Jwks {
  readonly url?: string
  /** The JSON text of a JWK set. */
  readonly inline?: string
  /** How old keys from a URL or from discovery may be before they are asked for again. */
  readonly refresh: Duration
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca?: string
}

export interface ApiKey {
  readonly id: string
  /** SHA-256 of the key, 64 hexadecimal digits. */
  readonly sha256: Secret
  readonly claims: Readonly<Record<string, unknown>>
}

export type Provider = 'auth0' | 'authentik' | 'descope' | 'entra' | 'keycloak' | 'okta'

/** How MCP clients are told where to log in (2026-07-28, authorization; RFC 9728). */
export interface McpAuthentication {
  readonly provider?: Provider
  /** A public client that is registered at the authorization server, for clients that can't register themselves. */
  readonly clientId?: string
  readonly resourceMetadata: ResourceMetadata
}

export interface ResourceMetadata {
  /** The endpoint's URL as clients know it; absent: as they called it. */
  readonly resource?: string
  readonly scopesSupported: readonly string[]
  readonly resourceName?: string
  readonly resourceDocumentation?: string
}

/** CEL expressions. Within a place: no deny holds, every require holds, and some allow holds if there are any. */
export interface Authorize {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}

/** A record of every request. */
export interface Audit {
  /** At least one. */
  readonly sinks: readonly AuditSink[]
  /** Whether each record holds the digest of the one before. */
  readonly chain: boolean
  /** What becomes of requests while a sink takes no records: refused (503), or served without. */
  readonly whenFull: 'refuse' | 'drop'
  /** Whether records hold a call's arguments, and not their keyed digest alone. */
  readonly arguments: boolean
  /** Members of records that are blanked, such as `subject` or `mcp.tool.arguments.password`. */
  readonly redact: readonly string[]
  /** Keys the digests; absent: derived from `sessions.keys`, else random for this process. 32 bytes in base64. */
  readonly key?: Secret
}

/** Exactly one of the three is there. */
export interface AuditSink {
  readonly stdout?: boolean
  /** A path; records are appended as JSON lines. */
  readonly file?: string
  /** Takes records as POSTs of JSON lines. */
  readonly http?: AuditHttpSink
}

export interface AuditHttpSink {
  readonly url: string
  readonly headers: Readonly<Record<string, Secret>>
}

export interface Sessions {
  /** The first seals, all open; empty: a random one, good for this process. `secret` is 32 bytes in base64. */
  readonly keys: readonly { readonly id: string; readonly secret: Secret }[]
  readonly idle: Duration
  readonly absolute: Duration
}

export interface Peers {
  readonly listen: string
  readonly find: { readonly dns?: string; readonly list?: readonly string[] }
}

export interface Store {
  readonly redis?: Secret
  readonly directory?: string
}

export interface Admin {
  /** `HOST:PORT`; `parseAddress` reads it. */
  readonly listen: string
  readonly token?: Secret
}

export interface Health {
  /** `HOST:PORT`, or `off`. */
  readonly listen: string
}

/** Bounds of the edge, not quotas. */
export interface Limits {
  readonly body: Size
  /** Bytes and number of a request's headers, `16KiB/100`; `headerLimit` reads it. */
  readonly headers: string
  readonly depth: number
  readonly tokens: number
  readonly connections: number
  readonly streamsPerCaller: number
  readonly toolsPerServer: number
  /** Pages of one list of one server. */
  readonly pages: number
  /** Bytes of one answer of a server. */
  readonly answer: Size
}

export interface Observe {
  readonly log: { readonly level: LogLevel; readonly format: 'auto' | 'text' | 'json' }
  readonly traces?: { readonly otlp: string; readonly sample: number }
  readonly metrics?: { readonly otlp?: string }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface ToolTest {
  readonly agent: string
  readonly claims?: Readonly<Record<string, unknown>>
  /** The `id` of an API key; not beside `claims`. */
  readonly apiKey?: string
  readonly tool: string
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly expect: 'allowed' | 'refused' | 'hidden' | 'unknown'
}

import type { Policies } from './policies.ts'
import type { Secret } from './values.ts'

/** A socket that accepts connections. Two may share an address and port if their hostnames differ. */
export interface Listener {
  readonly name: string
  /** An IP address without brackets, or `localhost`. */
  readonly address: string
  /** 0 stands for any free port. */
  readonly port: number
  readonly protocol: 'HTTP' | 'HTTPS'
  /** In lower case; `*.example.com` matches as in the Gateway API. */
  readonly hostname?: string
  readonly tls?: ListenerTls
  /** The accepted `Host` names; absent: derived (docs/configuration.md, `listeners[]`). */
  readonly hosts?: readonly string[]
  /** The accepted `Origin`s; absent: derived (docs/configuration.md, `listeners[]`). */
  readonly origins?: readonly string[]
  readonly cors?: Cors
  /** The author confirms that this listener may be open to anybody without authentication. */
  readonly insecure: boolean
  readonly policies?: Policies
}

export interface ListenerTls {
  readonly certificates: readonly { readonly cert: string; readonly key: Secret }[]
  /** PEM text of the authorities whose client certificates identify callers. */
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

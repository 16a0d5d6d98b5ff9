import type { Catalog } from '../../catalog/catalog.ts'
import type { Endpoint as Edge } from '../../era/era.ts'
import type { Caller, Head, Refusal } from '../../mcp/mcp.ts'
import type { Audit } from '../../observe/observe.ts'
import type { Authenticator, DecidingRule, Policies } from '../../policy/policy.ts'

/** The MCP endpoint that a route's rule leads to, as one caller sees it. */
export interface Endpoint {
  readonly kind: 'catalog'
  /** Identifies the endpoint for sessions and streams: the route's name and the index of the rule. */
  readonly name: string
  readonly catalog: Catalog
  readonly endpoint: Edge
  readonly agent: string | undefined
  readonly backend: string | undefined
  /** Instructions that the document has for clients; undefined: those of its servers. */
  readonly instructions: string | undefined
  readonly requestMs: number | undefined
  readonly caller: Caller
  /** How the caller came in; undefined where the gate asks nothing of anybody. */
  readonly entry: Entry | undefined
}

export interface Entry {
  readonly listener: string
  readonly gate: Gate
  /** The head of the request that came in. */
  readonly head: Head
  /** The whole view, with what policies hide from this caller. */
  readonly whole: Catalog
}

/** What a request passes between a listener and a route's rule: authentication, policies and the audit log. */
export interface Gate {
  readonly authenticator: Authenticator | undefined
  /** The policies of this way. They are made when they are first used. */
  readonly policies: Policies
  readonly audit: Audit | undefined
  /** Authenticates a request and asks the policies whether its caller may come in. */
  admit(head: Head): Admitted | Promise<Admitted>
  /** The target as this caller sees it. */
  enter(target: Endpoint, caller: Caller, head: Head): Endpoint
  /**
   * The target as a caller who came in before sees it now; undefined where the caller has to authenticate again, or may no longer come
   * in.
   */
  reenter(target: Endpoint, before: Endpoint, entry: Entry): Endpoint | undefined
}

export type Admitted =
  | { readonly kind: 'admitted'; readonly caller: Caller }
  | (Refusal & { readonly caller?: Caller | undefined; readonly by?: DecidingRule | undefined })

export type Target = Endpoint | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly status: number }

/** Who streams and subscriptions count for: the caller, or the address of an anonymous one. */
export function holderOf({ caller }: Endpoint, remote: string): string {
  return caller.kind === 'anonymous' ? remote : caller.id
}

/** The part of an endpoint that an era needs, for a given view. */
export function edgeOf(
  { route, serverInfo, sessions }: Pick<Edge, 'route' | 'serverInfo' | 'sessions'>,
  catalog: Catalog,
  instructions: string | undefined,
): Edge {
  return {
    route,
    serverInfo,
    sessions,
    offers: () => catalog.offers(),
    get instructions() {
      return instructions ?? catalog.instructions()
    },
  }
}

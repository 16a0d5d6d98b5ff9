import type { Catalog, Sight } from '../../catalog/catalog.ts'
import type { Endpoint as Edge } from '../../era/era.ts'
import type { Caller, Head, Refusal } from '../../mcp/mcp.ts'
import type { Audit } from '../../observe/observe.ts'
import type { Authenticator, DecidingRule, Policies, PolicySight } from '../../policy/policy.ts'

/** What a rule of a route leads to, as one caller sees it. */
export interface Endpoint {
  readonly kind: 'catalog'
  /** Names this endpoint for sessions and streams: the route, and which of its rules. */
  readonly name: string
  readonly catalog: Catalog
  readonly endpoint: Edge
  readonly agent: string | undefined
  readonly backend: string | undefined
  /** What the document tells its clients; undefined: what its servers say. */
  readonly instructions: string | undefined
  readonly requestMs: number | undefined
  readonly caller: Caller
  /** How it was entered; undefined where nothing is asked of anybody. */
  readonly entry: Entry | undefined
}

export interface Entry {
  readonly listener: string
  readonly gate: Gate
  /** By which rules judge; of a caller who comes again and again it may be the first. */
  readonly head: Head
  /** What is there for those whom no rule keeps anything from. */
  readonly whole: Catalog
}

/** What stands between a listener and what a rule leads to: who calls, whether it may, what it sees, and the record of it. */
export interface Gate {
  readonly authenticator: Authenticator | undefined
  /** Those on the way, made when they are first asked for. */
  readonly policies: Policies
  readonly audit: Audit | undefined
  /** Lets a request in as somebody, or says why not. */
  admit(head: Head): Admitted | Promise<Admitted>
  /** What a caller finds behind it. */
  enter(target: Endpoint, caller: Caller, head: Head): Endpoint
  /** What somebody who is inside finds there now; undefined: it has to come in anew, or may not. */
  reenter(target: Endpoint, before: Endpoint, entry: Entry): Endpoint | undefined
}

export type Admitted =
  | { readonly kind: 'admitted'; readonly caller: Caller }
  | (Refusal & { readonly caller?: Caller | undefined; readonly by?: DecidingRule | undefined })

export type Target = Endpoint | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly status: number }

/** By whom what is held open is counted: an anonymous caller is an address. */
export function holderOf({ caller }: Endpoint, remote: string): string {
  return caller.kind === 'anonymous' ? remote : caller.id
}

/** An endpoint that is kept for longer than its request: it is judged by that one's own head, whoever came first. */
export function held(to: Endpoint, head: Head): Endpoint {
  return to.entry === undefined || to.entry.head === head ? to : { ...to, entry: { ...to.entry, head } }
}

/** The same endpoint for another caller, through a gate. */
export function entered(target: Endpoint, listener: string, gate: Gate, caller: Caller, head: Head): Endpoint {
  const { sight } = gate.policies
  const entry = { listener, gate, head, whole: target.catalog }
  if (sight === undefined) return { ...target, caller, entry }
  const catalog = target.catalog.seenBy(sightOf(sight, caller, head))
  return {
    ...target,
    caller,
    catalog,
    endpoint: edgeOf(target.endpoint, catalog, target.instructions),
    entry,
  }
}

/** What an era is to know of an endpoint, with a view of its own. */
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

function sightOf(sight: PolicySight, caller: Caller, head: Head): Sight {
  const asking = { caller, head }
  return {
    sees: (item) => sight.sees(asking, item).isAllowed,
    reaches: (backend, server, kind) => sight.reaches(asking, backend, server, kind),
  }
}

import type { AgentView } from '../agents/agents.ts'
import type { BackendView } from '../backends/backends.ts'
import { type Fault, type ObjectRef, type Raw, refKey, titleOf, type World } from '../objects/objects.ts'
import type { Policies } from '../policies/policies.ts'
import type { BackendRefView, RouteView, RuleView } from '../routes/routes.ts'

/** What the backendRefs of routes are looked up in. */
export interface Reachable {
  readonly world: World
  readonly policies: Policies
  readonly backends: { find(ref: ObjectRef): BackendView | undefined }
  readonly agents: { find(ref: ObjectRef): AgentView | undefined }
}

/** Where the requests of a rule go, whichever Gateway they come through. */
export interface RuleTarget {
  /** The one backend of the rule in the document. */
  readonly fragment: Raw
  /** The backends and agents that the fragment refers to, directly or by an agent. */
  readonly backends: readonly BackendView[]
  readonly agents: readonly AgentView[]
  /** Why the rule can't be served as it is written. */
  readonly faults: readonly Fault[]
  /** Why its backendRefs don't resolve. */
  readonly refFaults: readonly Fault[]
  /** What else a status should say: that a policy closes the rule, or that it has no backend. */
  readonly notes: readonly string[]
}

type Resolved =
  | { readonly kind: 'backend'; readonly view: BackendView }
  | { readonly kind: 'agent'; readonly view: AgentView }
  | { readonly kind: 'fault'; readonly fault: Fault }

/**
 * Finds where a rule leads. Where that is not exactly one backend or agent, its requests are answered with 500 and never go elsewhere
 * (Gateway API, HTTPRouteRule.backendRefs).
 */
export function targetOf(route: RouteView, rule: RuleView, from: Reachable): RuleTarget {
  const resolved = rule.backendRefs.map((ref) => resolve(route, ref, from))
  // A backendRef without a name has a fault already.
  const refFaults = resolved.flatMap((one, index) => (one.kind === 'fault' && rule.backendRefs[index]?.ref.name !== '' ? [one.fault] : []))
  // Several backendRefs to one object count as one.
  const active = new Map(
    resolved.flatMap((one, index): [string, Resolved][] => {
      const backendRef = rule.backendRefs[index]
      return backendRef === undefined || backendRef.weight === 0 ? [] : [[refKey(backendRef.ref), one]]
    }),
  )
  const faults = [...rule.faults, ...rule.backendRefs.flatMap((ref) => ref.faults), ...(active.size > 1 ? [severalBackends(rule)] : [])]
  const closed = closedBy(route, rule, from.policies)
  const [only] = active.values()
  const refusal = (reason: string, note?: string): RuleTarget => ({
    fragment: { refuse: { status: 500, reason } },
    backends: [],
    agents: [],
    faults,
    refFaults,
    notes: note === undefined ? [] : [note],
  })
  if (closed !== undefined) return refusal('this route is closed', `${rule.place} is closed: ${closed}`)
  if (faults.length > 0) return refusal('this route asks for something that is not supported')
  if (only === undefined) return refusal('this route leads nowhere', `${rule.place} has no backend, so its requests are answered with 500`)
  if (only.kind === 'fault') return refusal('this route leads to something that is not there')
  const { name } = only.view
  return {
    fragment: only.kind === 'backend' ? { backend: name } : { agent: name },
    backends: only.kind === 'backend' ? [only.view] : only.view.backends,
    agents: only.kind === 'agent' ? [only.view] : [],
    faults,
    refFaults,
    notes: [],
  }
}

function severalBackends({ place }: RuleView): Fault {
  const remedy = 'name one backend, put the targets of all into one Backend, or give the others weight 0'
  return {
    reason: 'UnsupportedValue',
    message: `${place}.backendRefs shares requests among several backends, which is not supported yet: ${remedy}`,
  }
}

function closedBy(route: RouteView, rule: RuleView, policies: Policies): string | undefined {
  const { closed } = policies.at({ kind: 'route', key: route.key })
  return closed ?? (rule.name === undefined ? undefined : policies.at({ kind: 'route', key: route.key, rule: rule.name }).closed)
}

/**
 * Looks up a backendRef (Gateway API, RouteConditionResolvedRefs). Only its kind is looked at before its ReferenceGrant: what may not be
 * referred to counts as not existing.
 */
function resolve(route: RouteView, { place, ref }: BackendRefView, { world, backends, agents }: Reachable): Resolved {
  const fault = (reason: string, message: string): Resolved => ({ kind: 'fault', fault: { reason, message: `${place}: ${message}` } })
  const title = titleOf(ref)
  const served = servedKinds.find((one) => one.group === ref.group && one.kind === ref.kind)
  if (served === undefined && !isService(ref)) {
    const known = servedKinds.map((one) => `${one.kind} (${one.group})`).join(', ')
    return fault('InvalidKind', `${ref.kind}${ref.group === '' ? '' : ` (${ref.group})`} is no kind that mcplex serves: name a ${known}`)
  }
  const namespace = route.object.metadata.namespace ?? ''
  if (!world.isAllowed({ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace }, ref)) {
    if (isService(ref)) return fault('RefNotPermitted', `${title} is in another namespace, and ${notItself}`)
    const grant = `a ReferenceGrant in namespace ${ref.namespace} from HTTPRoute of namespace ${namespace} to ${ref.kind} ${ref.name}`
    return fault('RefNotPermitted', `${title} is in another namespace, which does not permit it: create ${grant}`)
  }
  if (world.find(ref) === undefined) return fault('BackendNotFound', `there is no ${title}: create it, or correct the name or namespace`)
  if (isService(ref)) return fault('InvalidKind', `${title} ${notItself}`)
  const backend = backends.find(ref)
  if (backend?.fragment !== undefined) return { kind: 'backend', view: backend }
  const agent = agents.find(ref)
  if (agent?.fragment !== undefined) return { kind: 'agent', view: agent }
  const view = backend ?? agent
  if (view === undefined)
    return fault('InvalidKind', `${title} has no MCP targets, and mcplex serves nothing else: give it spec.mcp.targets`)
  return fault('Invalid', `${title} serves nothing: ${view.unusable ?? 'its status says why'}`)
}

const notItself = "can't be a route's backend itself: put it as a target into a Backend of type MCP, and name that"

const servedKinds = [
  { group: 'gateway.kgateway.dev', kind: 'Backend' },
  { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' },
  { group: 'mcplex.dev', kind: 'Agent' },
] as const

function isService({ group, kind }: ObjectRef): boolean {
  return group === '' && kind === 'Service'
}

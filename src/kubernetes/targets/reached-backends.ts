import { type KubeObject, listAt, type ObjectRef, rawAt, refKey, refOf, textAt, type World } from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'

/** The kinds of backends of MCP servers. */
export const backendKinds = [
  { group: 'gateway.kgateway.dev', kind: 'Backend' },
  { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' },
] as const

/**
 * What routes on Gateways of ours, and Agents, refer to and may refer to: by its `refKey` the namespaces of the Gateways that lead to it,
 * which are none where only an Agent without a route refers to it.
 */
export function readReachedBackends(world: World, routes: readonly RouteView[]): ReadonlyMap<string, ReadonlySet<string>> {
  const reached = new Map<string, Set<string>>()
  const reach = (ref: ObjectRef, namespaces: Iterable<string>): void => {
    const known = reached.get(refKey(ref)) ?? new Set()
    reached.set(refKey(ref), known)
    for (const one of namespaces) known.add(one)
  }
  for (const route of routes) {
    const attached = route.parents.filter(({ faults }) => faults.length === 0)
    const namespaces = attached.map(({ gateway }) => gateway.object.metadata.namespace ?? '')
    if (attached.length > 0) for (const ref of backendsOfRoute(route, world)) reach(ref, namespaces)
  }
  for (const agent of world.all('mcplex.dev', 'Agent')) {
    for (const ref of backendsOfAgent(agent, world)) reach(ref, reached.get(refKey(refOf(agent))) ?? [])
  }
  return reached
}

function backendsOfRoute(route: RouteView, world: World): readonly ObjectRef[] {
  const refs = route.rules.flatMap((rule) => rule.backendRefs.map(({ ref }) => ref))
  return refs.filter((ref) => world.isAllowed(refOf(route.object), ref))
}

/** The backends that an Agent refers to and may refer to. */
export function backendsOfAgent(agent: KubeObject, world: World): readonly ObjectRef[] {
  const own = refOf(agent)
  return listAt(rawAt(agent, 'spec'), 'backendRefs').flatMap((backendRef) => {
    const name = textAt(backendRef, 'name')
    const known = backendKinds.find(({ kind }) => kind === (textAt(backendRef, 'kind') ?? 'Backend'))
    if (name === undefined || known === undefined) return []
    const ref = { ...known, namespace: textAt(backendRef, 'namespace') ?? own.namespace, name }
    return world.isAllowed(own, ref) ? [ref] : []
  })
}

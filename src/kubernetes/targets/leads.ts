import { type KubeObject, listAt, type ObjectRef, rawAt, refKey, refOf, textAt, type World } from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'

export const backendKinds = [
  { group: 'gateway.kgateway.dev', kind: 'Backend' },
  { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' },
] as const

/**
 * By `refKey`, what routes that are attached to Gateways of ours and Agents name and may name: the namespaces of the Gateways from which
 * it is reached, none where only an Agent without a route names it.
 */
export function readLeads(world: World, routes: readonly RouteView[]): ReadonlyMap<string, ReadonlySet<string>> {
  const leads = new Map<string, Set<string>>()
  const lead = (ref: ObjectRef, namespaces: Iterable<string>): void => {
    const known = leads.get(refKey(ref)) ?? new Set()
    leads.set(refKey(ref), known)
    for (const one of namespaces) known.add(one)
  }
  for (const route of routes) {
    const attached = route.parents.filter(({ faults }) => faults.length === 0)
    const namespaces = attached.map(({ gateway }) => gateway.object.metadata.namespace ?? '')
    if (attached.length > 0) for (const ref of backendsOfRoute(route, world)) lead(ref, namespaces)
  }
  for (const agent of world.all('mcplex.dev', 'Agent')) {
    for (const ref of backendsOfAgent(agent, world)) lead(ref, leads.get(refKey(refOf(agent))) ?? [])
  }
  return leads
}

function backendsOfRoute(route: RouteView, world: World): readonly ObjectRef[] {
  const refs = route.rules.flatMap((rule) => rule.backendRefs.map(({ ref }) => ref))
  return refs.filter((ref) => world.isAllowed(refOf(route.object), ref))
}

/** What an Agent names and may name. */
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

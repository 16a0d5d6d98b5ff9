import type { KubeObject, ObjectRef, Settings } from './model.ts'
import { listAt, rawAt, textAt, valueAt } from './raw.ts'
import { createServices } from './services.ts'
import { readTargets } from './targets.ts'
import type { RouteView } from './views.ts'
import { refKey, refOf, type World } from './world.ts'

/** Which backends and Services stand behind what is ours; those of other controllers are none of our business. */
export interface Uses {
  /** Whether a route of ours or an Agent leads to it. */
  isServing(ref: ObjectRef): boolean
  /** Whether it does so, or could: it is a backend of MCP servers, or a Service behind one. */
  couldServe(ref: ObjectRef): boolean
}

const backendKinds = [
  { group: 'gateway.kgateway.dev', kind: 'Backend' },
  { group: 'agentgateway.dev', kind: 'AgentgatewayBackend' },
] as const

/** Without the ReferenceGrant that it needs a reference leads nowhere. */
export function readUses(world: World, routes: readonly RouteView[], { clusterDomain }: Pick<Settings, 'clusterDomain'>): Uses {
  const services = createServices(world, clusterDomain)
  const servicesOf = (backend: KubeObject): readonly string[] =>
    readTargets(backend, services, world).candidates.flatMap(({ service }) => (service === undefined ? [] : [serviceKey(service)]))

  const behind = new Map(
    backendKinds
      .flatMap(({ group, kind }) => world.all(group, kind))
      .filter((object) => valueAt(object, 'spec', 'mcp') !== undefined)
      .map((object) => [refKey(refOf(object)), servicesOf(object)]),
  )
  const named = [
    ...routes.flatMap((route) => backendsOfRoute(route, world)),
    ...world.all('mcplex.dev', 'Agent').flatMap((agent) => backendsOfAgent(agent, world)),
  ].map(refKey)
  const serving = new Set(named.flatMap((key) => [key, ...(behind.get(key) ?? [])]))
  const able = new Set([...serving, ...[...behind].flatMap(([key, keys]) => [key, ...keys])])
  return { isServing: (ref) => serving.has(refKey(ref)), couldServe: (ref) => able.has(refKey(ref)) }
}

function backendsOfRoute(route: RouteView, world: World): readonly ObjectRef[] {
  const refs = route.rules.flatMap((rule) => rule.backendRefs.map(({ ref }) => ref))
  return refs.filter((ref) => world.isAllowed(refOf(route.object), ref))
}

function backendsOfAgent(agent: KubeObject, world: World): readonly ObjectRef[] {
  const own = refOf(agent)
  return listAt(rawAt(agent, 'spec'), 'backendRefs').flatMap((backendRef) => {
    const name = textAt(backendRef, 'name')
    const known = backendKinds.find(({ kind }) => kind === (textAt(backendRef, 'kind') ?? 'Backend'))
    if (name === undefined || known === undefined) return []
    const ref = { ...known, namespace: textAt(backendRef, 'namespace') ?? own.namespace, name }
    return world.isAllowed(own, ref) ? [ref] : []
  })
}

/** @param key `ns/name`, as elsewhere */
function serviceKey(key: string): string {
  const [namespace = '', name = ''] = key.split('/')
  return refKey({ group: '', kind: 'Service', namespace, name })
}

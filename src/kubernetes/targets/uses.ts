import { type KubeObject, listAt, type ObjectRef, refKey, refOf, type Settings, textAt, valueAt, type World } from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'
import { createServices, type Services, serviceRef } from '../services/services.ts'
import { backendKinds, backendsOfAgent, readReachedBackends } from './reached-backends.ts'
import { type BackendTargets, readTargets } from './read-targets.ts'

/** Which backends and Services are used by our routes and by Agents. Others may belong to other controllers and are left alone. */
export interface Uses {
  /** Whether a route that is attached to a Gateway of ours, or an Agent, leads to it. Only then are its Secrets read. */
  isServing(ref: ObjectRef): boolean
  /**
   * Whether it is a backend for MCP, or a Service behind one, to which no Agent and no route leads, neither ours nor another controller's.
   */
  isIdle(ref: ObjectRef): boolean
  /** Whether only this controller has written the status of an object. */
  isUntouched(object: KubeObject): boolean
  /** The servers that a backend asks for. They are read once. */
  targetsOf(backend: KubeObject): BackendTargets
  /** Services, by `ns/name`, whose EndpointSlices the targets depend on. */
  readonly followed: ReadonlySet<string>
  /** Whether an Agent that may refer to it selects from it. */
  isSelected(ref: ObjectRef): boolean
  readonly services: Services
}

/** Determines what is used. A reference that lacks its ReferenceGrant leads nowhere. */
export function readUses(
  world: World,
  routes: readonly RouteView[],
  { clusterDomain, controllerName }: Pick<Settings, 'clusterDomain' | 'controllerName'>,
): Uses {
  const services = createServices(world, clusterDomain)
  const reached = readReachedBackends(world, routes)
  const read = new Map<string, BackendTargets>()
  const targetsOf = (backend: KubeObject): BackendTargets => {
    const key = refKey(refOf(backend))
    const known = read.get(key) ?? readTargets(backend, { services, world, searched: [...(reached.get(key) ?? [])].sort() })
    read.set(key, known)
    return known
  }
  const servicesOf = (backend: KubeObject): readonly string[] =>
    targetsOf(backend).candidates.flatMap(({ service, others }) =>
      [...(service === undefined ? [] : [service]), ...others].map((key) => refKey(serviceRef(key))),
    )

  const behind = new Map(
    backendKinds
      .flatMap(({ group, kind }) => world.all(group, kind))
      .filter((object) => valueAt(object, 'spec', 'mcp') !== undefined)
      .map((object) => [refKey(refOf(object)), servicesOf(object)]),
  )
  const withServices = (keys: Iterable<string>): ReadonlySet<string> =>
    new Set([...keys].flatMap((key) => [key, ...(behind.get(key) ?? [])]))
  const serving = withServices(reached.keys())
  const selected = new Set(world.all('mcplex.dev', 'Agent').flatMap((agent) => backendsOfAgent(agent, world).map(refKey)))
  const ours = new Set(routes.filter(isWhollyOurs).map(({ object }) => refKey(refOf(object))))
  const foreign = world.all('gateway.networking.k8s.io', 'HTTPRoute').filter((route) => !ours.has(refKey(refOf(route))))
  const theirs = withServices(foreign.flatMap(backendsOfForeign).map(refKey))
  const able = withServices(behind.keys())
  return {
    isServing: (ref) => serving.has(refKey(ref)),
    isIdle: (ref) => able.has(refKey(ref)) && !serving.has(refKey(ref)) && !theirs.has(refKey(ref)),
    isUntouched: ({ metadata }) => (metadata.statusManagers ?? []).every((manager) => manager === controllerName),
    targetsOf,
    followed: services.looked,
    isSelected: (ref) => selected.has(refKey(ref)),
    services,
  }
}

function isWhollyOurs({ object, parents }: RouteView): boolean {
  return parents.length > 0 && parents.length === listAt(object, 'spec', 'parentRefs').length
}

/** What a route of another controller refers to, whether a ReferenceGrant allows it or not: it is left to that controller. */
function backendsOfForeign(route: KubeObject): readonly ObjectRef[] {
  return listAt(route, 'spec', 'rules').flatMap((rule) =>
    listAt(rule, 'backendRefs').flatMap((ref) => {
      const [kind, name] = [textAt(ref, 'kind') ?? 'Service', textAt(ref, 'name')]
      const namespace = textAt(ref, 'namespace') ?? route.metadata.namespace ?? ''
      return name === undefined ? [] : [{ group: textAt(ref, 'group') ?? '', kind, namespace, name }]
    }),
  )
}

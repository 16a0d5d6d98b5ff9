import { digestOfDocument } from '../../config/config.ts'
import { documentOf, type Reachable, type RuleTarget, targetOf } from '../document/document.ts'
import { type GatewayView, parametersFor } from '../gateways/gateways.ts'
import {
  compare,
  type DesiredStatus,
  type KubeObject,
  namesFor,
  type ObjectRef,
  type Observations,
  refKey,
  type Settings,
} from '../objects/objects.ts'
import { type GatewayPlan, provision } from '../provision/provision.ts'
import type { RouteView } from '../routes/routes.ts'
import { acceptanceOf, type ParentGateway, routeFaults, type Served, servingOf, statusOfGateway, statusOfRoute } from '../status/status.ts'

/** What the steps before have read. */
export interface Assembly extends Reachable {
  readonly gateways: readonly GatewayView[]
  readonly routes: readonly RouteView[]
  readonly settings: Settings
  readonly observed: Observations
}

/** Makes the plan of each Gateway, and the statuses of Gateways and HTTPRoutes, from what the steps before have read. */
export function assembleGateways(from: Assembly): { plans: readonly GatewayPlan[]; statuses: readonly DesiredStatus[] } {
  const { settings, observed } = from
  const routes = new Map(from.routes.map((route) => [route, route.rules.map((rule) => targetOf(route, rule, from))] as const))
  const gateways = from.gateways
    .toSorted((one, other) => compare(one.key, other.key))
    .map((gateway) => {
      const { fault, remarks, ...written } = documentOf(gateway, { routes, policies: from.policies, settings })
      const remarked = { ...gateway, remarks: [...gateway.remarks, ...remarks] }
      return { gateway, ...written, accepted: acceptanceOf(remarked, fault) }
    })
  const states = new Map(gateways.map((one) => [one.gateway, one]))
  const ofGateways = routesByGateway(routes, states)
  const needs = new Map(from.routes.map((route) => [route, neededBy(route, from)]))
  const plans = gateways.map(({ gateway, document, accepted }): GatewayPlan => {
    const { namespace = '', name } = gateway.object.metadata
    const objects = document === undefined ? [] : provision(gateway, document, settings)
    // The pods of a Gateway that is no longer accepted stay as they are, but they get its document: a revoked grant must take effect.
    const kept = accepted.status === 'True' ? objects : objects.filter(({ kind }) => kind === 'Secret')
    const ofRoutes = [...(ofGateways.get(gateway)?.routes ?? [])].flatMap((route) => needs.get(route) ?? [])
    const waitsFor = [...neededAt(gateway, from), ...ofRoutes]
    const digest = document === undefined ? '' : digestOfDocument(JSON.stringify(document))
    const parameters = parametersFor(gateway.object, from.world)
    return { namespace, name, document, digest, objects: kept, waitsFor: unique(waitsFor), parameters }
  })
  const gatewayStatuses = gateways.map(({ gateway, accepted, closed, callers }, index) =>
    statusOfGateway(gateway, {
      accepted,
      closed,
      callers,
      service: serviceOf(gateway, from),
      provisioning: observed.provisioning.get(gateway.key),
      serving: servingOf(gateway.key, servedBy(gateway, plans[index]), observed, settings),
      attached: (listener) => ofGateways.get(gateway)?.attached.get(listener)?.size ?? 0,
    }),
  )
  const routeStatuses = [...routes].map(([route, targets]) => ({
    ...statusOfRoute(route, targets, states, settings),
    waitsFor: needs.get(route) ?? [],
  }))
  return { plans, statuses: [...gatewayStatuses, ...routeStatuses] }
}

/** The routes of a Gateway. */
interface GatewayRoutes {
  /** All routes with a parentRef to it. */
  readonly routes: Set<RouteView>
  /** By listener, the accepted routes that attach to it. */
  readonly attached: Map<string, Set<RouteView>>
}

function routesByGateway(
  routes: ReadonlyMap<RouteView, readonly RuleTarget[]>,
  states: ReadonlyMap<GatewayView, ParentGateway>,
): ReadonlyMap<GatewayView, GatewayRoutes> {
  const ofGateways = new Map(
    [...states.keys()].map((gateway): [GatewayView, GatewayRoutes] => [gateway, { routes: new Set(), attached: new Map() }]),
  )
  for (const [route, targets] of routes) {
    for (const parent of route.parents) {
      const found = ofGateways.get(parent.gateway)
      found?.routes.add(route)
      if (parent.listeners.length === 0 || routeFaults(route, parent, targets, states.get(parent.gateway)).length > 0) continue
      for (const listener of parent.listeners) {
        const known = found?.attached.get(listener) ?? new Set()
        found?.attached.set(listener, known.add(route))
      }
    }
  }
  return ofGateways
}

function servedBy({ parameters }: GatewayView, plan: GatewayPlan | undefined): Served {
  return { digest: plan?.digest ?? '', parameters, titles: plan?.parameters ?? [] }
}

/** Secrets and ConfigMaps that a route and what it refers to depend on, also where nothing is served without them. */
function neededBy(route: RouteView, { policies, backends, agents }: Reachable): readonly ObjectRef[] {
  const refs = route.rules.flatMap((rule) => rule.backendRefs.map(({ ref }) => ref))
  const rules = route.rules.flatMap(({ name }) => (name === undefined ? [] : [policies.at({ kind: 'route', key: route.key, rule: name })]))
  const own = [policies.at({ kind: 'route', key: route.key }), ...rules].flatMap(({ wanted }) => wanted ?? [])
  const behind = refs.flatMap((ref) => [backends.find(ref), ...(agents.find(ref)?.backends ?? [])]).flatMap((view) => view?.wanted ?? [])
  return [...own, ...behind]
}

/** Secrets and ConfigMaps that policies for a Gateway and its listeners depend on. */
function neededAt({ key, listeners }: GatewayView, { policies }: Reachable): readonly ObjectRef[] {
  const places = [
    policies.at({ kind: 'gateway', key }),
    ...listeners.map(({ name }) => policies.at({ kind: 'gateway', key, listener: name })),
  ]
  return places.flatMap(({ wanted }) => wanted ?? [])
}

function unique(refs: readonly ObjectRef[]): readonly ObjectRef[] {
  return [...new Map(refs.map((ref) => [refKey(ref), ref])).values()]
}

/** The Gateway's Service. One of that name that does not belong to the Gateway does not count. */
function serviceOf({ object }: GatewayView, { world }: Assembly): { readonly name: string; readonly object: KubeObject | undefined } {
  const { namespace = '', uid } = object.metadata
  const name = namesFor(object.metadata.name).workload
  const service = world.find({ group: '', kind: 'Service', namespace, name })
  const isOwn = service?.metadata.ownerReferences?.some(
    (owner) => owner.controller === true && owner.kind === 'Gateway' && owner.uid === uid,
  )
  return { name, object: isOwn === true ? service : undefined }
}

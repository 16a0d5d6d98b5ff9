import { documentOf } from './gateway-document.ts'
import { acceptanceOf, statusOfGateway } from './gateway-status.ts'
import type { DesiredStatus, GatewayPlan, KubeObject, Observations, Settings } from './model.ts'
import { provision } from './provision.ts'
import { namesFor } from './provisioned-names.ts'
import { routeFaults, statusOfRoute } from './route-status.ts'
import { type Reachable, type RuleTarget, targetOf } from './rule-target.ts'
import type { GatewayView, RouteView } from './views.ts'
import { compare } from './world.ts'

export interface Assembly extends Reachable {
  readonly gateways: readonly GatewayView[]
  readonly routes: readonly RouteView[]
  readonly settings: Settings
  readonly observed: Observations
}

/** Puts together what the steps before have read: a plan for each Gateway, and the statuses of Gateways and HTTPRoutes. */
export function assembleGateways(from: Assembly): { plans: readonly GatewayPlan[]; statuses: readonly DesiredStatus[] } {
  const { settings, observed } = from
  const routes = new Map(from.routes.map((route) => [route, route.rules.map((rule) => targetOf(route, rule, from))] as const))
  const gateways = from.gateways
    .toSorted((one, other) => compare(one.key, other.key))
    .map((gateway) => {
      const { fault, ...written } = documentOf(gateway, { routes, policies: from.policies, settings })
      return { gateway, ...written, accepted: acceptanceOf(gateway, fault) }
    })
  const states = new Map(gateways.map((one) => [one.gateway, one]))
  const isAttached = (route: RouteView, targets: readonly RuleTarget[], gateway: GatewayView, listener: string): boolean =>
    route.parents.some(
      (parent) =>
        parent.gateway === gateway &&
        parent.listeners.includes(listener) &&
        routeFaults(route, parent, targets, states.get(gateway)).length === 0,
    )
  const plans = gateways.map(({ gateway, document, accepted }): GatewayPlan => {
    const { namespace = '', name } = gateway.object.metadata
    const objects = document === undefined ? [] : provision(gateway, document, settings)
    // What serves a Gateway that is no longer accepted stays as it is, but what it serves follows: a grant that is revoked is revoked.
    return { namespace, name, document, objects: accepted.status === 'True' ? objects : objects.filter(({ kind }) => kind === 'Secret') }
  })
  const gatewayStatuses = gateways.map(({ gateway, accepted, closed }) =>
    statusOfGateway(gateway, {
      accepted,
      closed,
      service: serviceOf(gateway, from),
      provisioning: observed.provisioning.get(gateway.key),
      attached: (listener) => [...routes].filter(([route, targets]) => isAttached(route, targets, gateway, listener)).length,
    }),
  )
  const routeStatuses = [...routes].map(([route, targets]) => statusOfRoute(route, targets, states, settings))
  return { plans, statuses: [...gatewayStatuses, ...routeStatuses] }
}

/** A Service of that name that is not the Gateway's own says nothing of it. */
function serviceOf({ object }: GatewayView, { world }: Assembly): { readonly name: string; readonly object: KubeObject | undefined } {
  const { namespace = '', uid } = object.metadata
  const name = namesFor(object.metadata.name).workload
  const service = world.find({ group: '', kind: 'Service', namespace, name })
  const isOwn = service?.metadata.ownerReferences?.some(
    (owner) => owner.controller === true && owner.kind === 'Gateway' && owner.uid === uid,
  )
  return { name, object: isOwn === true ? service : undefined }
}

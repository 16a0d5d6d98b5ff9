import type { GatewayView } from '../gateways/gateways.ts'
import { nameKey, type Observations, type Settings, type World } from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'
import type { Uses } from '../targets/targets.ts'
import type { Policies } from './policy-effect.ts'
import { mergePolicies } from './policy-merge.ts'
import { readPolicy } from './policy-reading.ts'
import { policyStatus } from './policy-status.ts'
import { type PolicyTarget, policyTargets } from './policy-targets.ts'

/**
 * Reads the AgentgatewayPolicies: what they come to at each place, and their statuses. A field that restricts and can't be enforced closes
 * the places where its policy holds. Policies for nothing of ours are left alone.
 */
export function readPolicies(
  world: World,
  gateways: readonly GatewayView[],
  routes: readonly RouteView[],
  uses: Uses,
  settings: Settings,
  observed: Observations,
): Policies {
  const context = { world, gateways: byKey(gateways), routes: byKey(routes), uses, observed, services: uses.services }
  const found = world.all('agentgateway.dev', 'AgentgatewayPolicy').map((object) => ({ object, targets: policyTargets(object, context) }))
  const policed = new Set(found.flatMap(({ targets }) => targets.targets.flatMap(servicesIn)))
  const readings = found.map(({ object, targets }) => readPolicy(object, targets, { ...context, policed }))
  const merged = mergePolicies(readings)
  return {
    at: merged.at,
    policed,
    statuses: readings.flatMap((reading) => policyStatus(reading, merged, settings.controllerName) ?? []),
    wanted: readings.flatMap(({ targets, says }) => targets.flatMap(({ kind }) => says(kind).wanted)),
  }
}

function servicesIn({ kind, ref }: PolicyTarget): readonly string[] {
  return kind === 'Service' ? [nameKey(ref)] : []
}

function byKey<V extends { readonly key: string }>(views: readonly V[]): ReadonlyMap<string, V> {
  return new Map(views.map((view) => [view.key, view]))
}

import { readAgents } from './agents.ts'
import { assembleGateways } from './assemble.ts'
import { readBackends } from './backends.ts'
import { readGateways } from './gateways.ts'
import { nothingObserved, type ObjectRef, type Observations, type Settings, type Translation } from './model.ts'
import { createObservedServers } from './observed-servers.ts'
import { readPolicies } from './policies.ts'
import { namesFor } from './provisioned-names.ts'
import { readRoutes } from './routes.ts'
import { readUses } from './uses.ts'
import type { GatewayView } from './views.ts'
import { compare, createWorld, nameKey, refKey } from './world.ts'

/**
 * What a cluster's objects come to: for each of our Gateways a document and what must be provisioned, and for each object its status.
 * Pure and total: any value may stand among the objects, their order is of no matter, and nothing is changed or thrown.
 */
export function translate(objects: readonly unknown[], settings: Settings, observed: Observations = nothingObserved): Translation {
  const world = createWorld(objects)
  const { gateways, classes, classStatuses, abandoned } = readGateways(world, settings)
  const routes = readRoutes(world, gateways, settings)
  const uses = readUses(world, routes, settings)
  const policies = readPolicies(world, gateways, routes, uses, settings, observed)
  const backends = readBackends(world, uses, policies, observed)
  const agents = readAgents(world, backends)
  const { plans, statuses } = assembleGateways({ world, gateways, routes, policies, backends, agents, settings, observed })
  const { ofBackend, ofAgent } = createObservedServers(plans, observed)
  return {
    gateways: plans,
    statuses: [
      ...classStatuses,
      ...statuses,
      ...backends.told.map((view) => ({ ...ofBackend(view), waitsFor: view.wanted })),
      ...agents.all.map((view) => ({ ...ofAgent(view), waitsFor: view.backends.flatMap(({ wanted }) => wanted) })),
      ...policies.statuses,
    ],
    classes,
    wanted: unique([...policies.wanted, ...backends.wanted]),
    services: new Set([...uses.followed, ...gateways.map(peersOf)]),
    abandoned,
  }
}

function peersOf({ object: { metadata } }: GatewayView): string {
  return nameKey({ namespace: metadata.namespace ?? '', name: namesFor(metadata.name).peers })
}

function unique(refs: readonly ObjectRef[]): readonly ObjectRef[] {
  const byKey = new Map(refs.map((ref) => [refKey(ref), ref]))
  return [...byKey].sort(([one], [other]) => compare(one, other)).map(([, ref]) => ref)
}

import { readAgents } from '../agents/agents.ts'
import { readBackends } from '../backends/backends.ts'
import { type GatewayView, readGateways } from '../gateways/gateways.ts'
import {
  compare,
  createWorld,
  type DesiredStatus,
  type KubeObject,
  nameKey,
  namesFor,
  nothingObserved,
  type ObjectRef,
  type Observations,
  refKey,
  type Settings,
} from '../objects/objects.ts'
import { readPolicies } from '../policies/policies.ts'
import type { GatewayPlan } from '../provision/provision.ts'
import { readRoutes } from '../routes/routes.ts'
import { createObservedServers } from '../status/status.ts'
import { readUses } from '../targets/targets.ts'
import { assembleGateways } from './assemble.ts'

/** All that follows from the objects of a cluster. */
export interface Translation {
  /** The plans of our Gateways, sorted by name. */
  readonly gateways: readonly GatewayPlan[]
  readonly statuses: readonly DesiredStatus[]
  /** GatewayClasses that are to be created, as none of that name exists. */
  readonly classes: readonly KubeObject[]
  /** Secrets and ConfigMaps that objects refer to, to be watched one by one. */
  readonly wanted: readonly ObjectRef[]
  /** Services, by `ns/name`, whose EndpointSlices the translation depends on: changes of others need no new one. */
  readonly services: ReadonlySet<string>
  /** Gateways that another controller serves now while objects that we provisioned for them still exist: these are to be deleted. */
  readonly abandoned: readonly ObjectRef[]
}

/**
 * Translates the objects of a cluster: for each of our Gateways a document and the objects to provision, and the statuses of all objects.
 * A pure function that never throws: any value may stand among the objects, and their order is of no matter.
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

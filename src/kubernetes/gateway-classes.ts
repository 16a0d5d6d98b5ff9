import { conditionsOf, judged } from './conditions.ts'
import { apiVersionOf, kindOf } from './kinds.ts'
import { managedBy } from './managed-by.ts'
import type { DesiredStatus, Fault, KubeObject, Settings } from './model.ts'
import { textAt, valueAt } from './raw.ts'
import type { World } from './world.ts'

export const gatewayGroup = 'gateway.networking.k8s.io'

export interface GatewayClasses {
  /** By name, those that are ours, with what keeps each from being Accepted. */
  readonly ours: ReadonlyMap<string, readonly Fault[]>
  /** Names of those of other controllers. */
  readonly foreign: ReadonlySet<string>
  /** To be made. */
  readonly missing: readonly KubeObject[]
  readonly statuses: readonly DesiredStatus[]
}

/** Which GatewayClasses are ours: by their controllerName, or as they are to be made. */
export function readClasses(world: World, settings: Settings): GatewayClasses {
  const objects = world.all(gatewayGroup, 'GatewayClass')
  const own = objects.filter((object) => textAt(object, 'spec', 'controllerName') === settings.controllerName)
  const known = new Set(objects.map((object) => object.metadata.name))
  const absent = [...new Set(settings.classes)].filter((name) => !known.has(name)).sort()
  const ours = new Map<string, readonly Fault[]>([
    ...absent.map((name) => [name, []] as const),
    ...own.map((object) => [object.metadata.name, faultsOf(object)] as const),
  ])
  return {
    ours,
    foreign: new Set([...known].filter((name) => !ours.has(name))),
    missing: absent.map((name) => madeClass(name, settings)),
    statuses: own.map((object) => ({
      kind: 'whole',
      object,
      status: {
        conditions: conditionsOf(object, [
          judged('Accepted', faultsOf(object), { reason: 'Accepted', message: `${settings.controllerName} serves Gateways of this class` }),
        ]),
      },
    })),
  }
}

function faultsOf(object: KubeObject): readonly Fault[] {
  if (valueAt(object, 'spec', 'parametersRef') === undefined) return []
  const message = `GatewayClass ${object.metadata.name}: spec.parametersRef is not supported: leave it out`
  return [{ reason: 'InvalidParameters', message }]
}

function madeClass(name: string, settings: Settings): KubeObject {
  const kind = kindOf(gatewayGroup, 'GatewayClass')
  return {
    apiVersion: apiVersionOf({ group: gatewayGroup, version: kind?.version ?? 'v1' }),
    kind: 'GatewayClass',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': managedBy(settings) } },
    spec: { controllerName: settings.controllerName, description: 'MCP servers behind one endpoint' },
  }
}

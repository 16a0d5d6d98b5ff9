import {
  apiVersionOf,
  conditionsOf,
  type DesiredStatus,
  type Fault,
  gatewayGroup,
  judged,
  type KubeObject,
  kindOf,
  managedBy,
  type Raw,
  type Settings,
  textAt,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { readParameters } from './gateway-parameters.ts'

/** The GatewayClasses of a cluster, and what is to be done about them. */
export interface GatewayClasses {
  /** Our classes by name, those that are still to be created among them. */
  readonly ours: ReadonlyMap<string, ClassView>
  /** Names of classes of other controllers. */
  readonly foreign: ReadonlySet<string>
  /** Classes that are to be created. */
  readonly missing: readonly KubeObject[]
  readonly statuses: readonly DesiredStatus[]
}

/** A GatewayClass of ours. */
export interface ClassView {
  /** Why it is not Accepted; empty where it is. */
  readonly faults: readonly Fault[]
  /** Members of a GatewayParameters' spec that hold for its Gateways where they have none of their own. */
  readonly parameters: Raw
}

/** Determines which GatewayClasses are ours: those with our controllerName, and those of the settings that do not exist yet. */
export function readClasses(world: World, settings: Settings): GatewayClasses {
  const objects = world.all(gatewayGroup, 'GatewayClass')
  const own = objects.filter((object) => textAt(object, 'spec', 'controllerName') === settings.controllerName)
  const known = new Set(objects.map((object) => object.metadata.name))
  const absent = [...new Set(settings.classes)].filter((name) => !known.has(name)).sort()
  const views = own.map((object) => ({ object, ...readClass(object, world) }))
  const ours = new Map<string, ClassView>([
    ...absent.map((name) => [name, { faults: [], parameters: {} }] as const),
    ...views.map((view) => [view.object.metadata.name, view] as const),
  ])
  return {
    ours,
    foreign: new Set([...known].filter((name) => !ours.has(name))),
    missing: absent.map((name) => madeClass(name, settings)),
    statuses: views.map(({ object, faults }) => ({
      kind: 'whole',
      object,
      status: {
        conditions: conditionsOf(object, [
          judged('Accepted', faults, { reason: 'Accepted', message: `${settings.controllerName} serves Gateways of this class` }),
        ]),
      },
    })),
  }
}

function readClass(object: KubeObject, world: World): ClassView {
  const ref = valueAt(object, 'spec', 'parametersRef')
  return readParameters(ref, `GatewayClass ${object.metadata.name}: spec.parametersRef`, textAt(ref, 'namespace'), world)
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

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

export interface GatewayClasses {
  /** By name, those that are ours. */
  readonly ours: ReadonlyMap<string, ClassView>
  /** Names of those of other controllers. */
  readonly foreign: ReadonlySet<string>
  /** To be made. */
  readonly missing: readonly KubeObject[]
  readonly statuses: readonly DesiredStatus[]
}

export interface ClassView {
  /** What keeps it from being Accepted. */
  readonly faults: readonly Fault[]
  /** What holds for its Gateways where they say nothing else: members of a GatewayParameters' spec. */
  readonly parameters: Raw
}

/** Which GatewayClasses are ours: by their controllerName, or as they are to be made. */
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

import type { Log } from '../../observe/observe.ts'
import { gatewayGroup, type KubeObject, nameKey, refOf, textAt } from '../objects/objects.ts'

/** Decides which of the settings' GatewayClasses may be created, or count as ours while they do not exist. */
export interface ClassClaims {
  /**
   * The class names of the settings that no other controller claims. Another controller claims a class that this process has seen with its
   * controllerName, and a class that does not exist if it has written the status of one of its Gateways.
   */
  free(objects: readonly KubeObject[]): readonly string[]
  /** Whether a class of this name with our controllerName was among the objects that `free` was called with. */
  wasOurs(name: string): boolean
}

/** The settings that claims depend on. */
export interface ClaimSettings {
  readonly controllerName: string
  /** The names of the settings' classes. */
  readonly classes: readonly string[]
}

/** A class that does not exist for a moment, as while its controller is installed again, is not taken from that controller. */
export function createClassClaims({ controllerName, classes }: ClaimSettings, log: Log): ClassClaims {
  /** Names among `classes` that were seen with another controllerName, those that were seen with ours, and those that the log mentions. */
  const foreign = new Set<string>()
  const own = new Set<string>()
  const told = new Set<string>()

  function tell(name: string, text: string): void {
    if (told.has(name)) return
    told.add(name)
    log.warn({ name }, `GatewayClass ${name} ${text}; see docs/kubernetes.md, How the controller behaves`)
  }

  return {
    free(objects) {
      const gateways = objects.filter((object) => isGatewayApi(object, 'Gateway'))
      const found = new Map(
        objects.flatMap((object) => (isGatewayApi(object, 'GatewayClass') ? [[object.metadata.name, object] as const] : [])),
      )
      return classes.filter((name) => {
        const object = found.get(name)
        const owner = object === undefined ? undefined : (textAt(object, 'spec', 'controllerName') ?? '')
        if (owner === controllerName) {
          own.add(name)
          foreign.delete(name)
          told.delete(name)
          return true
        }
        if (owner !== undefined) {
          foreign.add(name)
          tell(name, `belongs to ${owner}: its Gateways are not served`)
          return false
        }
        if (foreign.has(name)) return false
        const served = gateways.find(
          (gateway) => textAt(gateway, 'spec', 'gatewayClassName') === name && isServedByOther(gateway, controllerName),
        )
        if (served !== undefined)
          tell(name, `is absent and not made, as another controller has written the status of its Gateway ${nameKey(refOf(served))}`)
        return served === undefined
      })
    },
    wasOurs: (name) => own.has(name),
  }
}

function isGatewayApi(object: KubeObject, kind: string): boolean {
  return object.kind === kind && object.apiVersion.startsWith(`${gatewayGroup}/`)
}

/** Whether another controller has written the status of a Gateway. Tools such as kubectl do not count. */
function isServedByOther({ metadata }: KubeObject, controllerName: string): boolean {
  return metadata.statusManagers?.some((manager) => manager !== controllerName && !manager.startsWith('kubectl')) === true
}

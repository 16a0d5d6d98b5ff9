import type { Log } from '../../observe/observe.ts'
import { gatewayGroup, type KubeObject, nameKey, refOf, textAt } from '../objects/objects.ts'

/** Which of the wanted GatewayClasses may be made, or counted as ours, while they are absent. */
export interface ClassClaims {
  /**
   * Of the wanted names those that no other controller has a claim to: it has none to a class that this process has seen with its
   * controllerName, nor, while the class is absent, to one of Gateways whose status it has written.
   */
  free(objects: readonly KubeObject[]): readonly string[]
  /** Whether some of the objects that `free` was asked about were a wanted class of this name with our controllerName. */
  wasOurs(name: string): boolean
}

export interface ClaimSettings {
  readonly controllerName: string
  /** The wanted names. */
  readonly classes: readonly string[]
}

/** A class that is gone for a moment, as while its controller is installed anew, is nobody's to take. */
export function createClassClaims({ controllerName, classes }: ClaimSettings, log: Log): ClassClaims {
  /** Names among `classes` that were seen in other hands, in ours, and those that the log tells of. */
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

/** People's tools serve nothing. */
function isServedByOther({ metadata }: KubeObject, controllerName: string): boolean {
  return metadata.statusManagers?.some((manager) => manager !== controllerName && !manager.startsWith('kubectl')) === true
}

import type { GatewayView } from '../gateways/gateways.ts'
import { gatewayGroup, type KubeObject, listAt, nameKey, refOf, type Settings, textAt, type World } from '../objects/objects.ts'
import { attach, ownParents } from './route-parents.ts'
import { readContent } from './route-rules.ts'
import type { RouteView } from './route-view.ts'

/** Reads the HTTPRoutes that name a Gateway of ours, or have an entry of ours in their status, the oldest first. */
export function readRoutes(world: World, gateways: readonly GatewayView[], settings: Settings): readonly RouteView[] {
  const byKey = new Map(gateways.map((gateway) => [gateway.key, gateway]))
  return world.all(gatewayGroup, 'HTTPRoute').flatMap((object) => {
    const key = nameKey(refOf(object))
    const parents = ownParents(object, byKey)
    if (parents.length === 0) return hasEntry(object, settings) ? [{ object, key, parents: [], rules: [], remarks: [] }] : []
    const content = readContent(object)
    return [
      {
        object,
        key,
        parents: parents.map((parent) => attach(parent, object, content)),
        rules: content.rules,
        remarks: content.remarks,
      },
    ]
  })
}

function hasEntry(route: KubeObject, { controllerName }: Settings): boolean {
  return listAt(route, 'status', 'parents').some((entry) => textAt(entry, 'controllerName') === controllerName)
}

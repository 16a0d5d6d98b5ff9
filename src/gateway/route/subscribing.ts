import type { Owner } from '../../catalog/catalog.ts'
import type { Item } from '../../mcp/mcp.ts'
import type { Verdict } from '../../policy/policy.ts'
import type { Endpoint } from './endpoint.ts'

/** What rules say of subscribing to a resource that its caller sees; undefined where there are none. */
export function maySubscribe({ caller, entry }: Endpoint, item: Item): Verdict | undefined {
  return entry?.gate.judge?.mayCall({ caller, head: entry.head }, item, 'resources/subscribe', undefined)
}

/** Whose resource it is, where it is there for the caller and may be subscribed to. */
export function subscribable(to: Endpoint, uri: string): Owner | undefined {
  const owner = to.catalog.owner({ kind: 'resources', name: uri })
  return owner === undefined || maySubscribe(to, owner.item)?.isAllowed === false ? undefined : owner
}

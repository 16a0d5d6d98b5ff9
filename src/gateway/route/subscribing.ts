import type { Owner } from '../../catalog/catalog.ts'
import type { Item } from '../../mcp/mcp.ts'
import type { Decision } from '../../policy/policy.ts'
import type { Endpoint } from './endpoint.ts'

/** What policies say of subscribing to a resource that its caller sees; undefined where there are none. */
export function maySubscribe({ caller, entry }: Endpoint, item: Item): Decision | undefined {
  return entry?.gate.policies.call?.({ caller, head: entry.head }, item, 'resources/subscribe', undefined)
}

/** Whose resource it is, where it is there for the caller and may be subscribed to. */
export function subscribable(to: Endpoint, uri: string): Owner | undefined {
  const owner = to.catalog.owner({ kind: 'resources', name: uri })
  return owner === undefined || maySubscribe(to, owner.item)?.kind === 'refused' ? undefined : owner
}

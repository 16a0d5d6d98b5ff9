import type { Owner } from '../../catalog/catalog.ts'
import type { Item } from '../../mcp/mcp.ts'
import type { Decision } from '../../policy/policy.ts'
import type { Endpoint } from './endpoint.ts'

/** Asks the policies whether a caller may subscribe to a resource that it sees; undefined where no policy has a say. */
export function maySubscribe({ caller, entry }: Endpoint, item: Item): Decision | undefined {
  return entry?.gate.policies.call?.({ caller, head: entry.head }, item, 'resources/subscribe', undefined)
}

/** The owner of a resource that the caller sees and may subscribe to. */
export function subscribable(to: Endpoint, uri: string): Owner | undefined {
  const owner = to.catalog.owner({ kind: 'resources', name: uri })
  return owner === undefined || maySubscribe(to, owner.item)?.kind === 'refused' ? undefined : owner
}

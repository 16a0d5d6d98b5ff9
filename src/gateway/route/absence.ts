import type { Named, Sight } from '../../catalog/catalog.ts'
import type { Item } from '../../mcp/mcp.ts'
import type { DecidingRule } from '../../policy/policy.ts'
import type { Absence } from '../request/request.ts'
import type { Endpoint } from './endpoint.ts'

/** Finds out, for the record, why an endpoint does not give what is named. Asks the rules anew, so it belongs after the reply. */
export function absenceOf({ catalog, caller, entry }: Endpoint, subject: Named): Absence {
  const whole = entry?.whole ?? catalog
  const sight = entry?.gate.policies.sight
  if (entry !== undefined && sight !== undefined) {
    const asking = { caller, head: entry.head }
    let refused: { readonly item: Item; readonly by: DecidingRule | undefined } | undefined
    const sees = (item: Item) => {
      const { isAllowed, by } = sight.sees(asking, item)
      if (!isAllowed) refused ??= { item, by }
      return isAllowed
    }
    const reaches: Sight['reaches'] = (backend, server, kind) => sight.reaches(asking, backend, server, kind)
    const seen = whole.seenBy({ sees, reaches }).owner(subject)
    const owner = seen === undefined ? whole.owner(subject) : undefined
    // The view skips a server of which the caller sees nothing, so that its rule was not asked above.
    if (owner !== undefined) sees(owner.item)
    const server = refused?.item.server ?? owner?.server
    if (server !== undefined) return { reason: 'hidden-by-rule', server, by: refused?.by }
  }
  const server = whole.unselected(subject)
  return { reason: server === undefined ? 'unknown-name' : 'not-selected', server, by: undefined }
}

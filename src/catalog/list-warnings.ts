import type { ListKind } from '../mcp/mcp.ts'
import { fullName, type ListTable } from './list-table.ts'
import type { Selections } from './merged-offers.ts'
import type { CatalogEvents, CatalogServer } from './model.ts'
import { couldBegin } from './selection.ts'

/**
 * Makes the function that warns of names that are hidden by equal ones, and of an agent's patterns that match nothing. It is called with
 * each table that has changed, and warns where there is something else to warn of than before.
 */
export function createListWarnings(
  servers: readonly CatalogServer[],
  selections: Selections,
  events: CatalogEvents,
): (table: ListTable) => void {
  const tables = new Map<ListKind, ListTable>()
  let reported = ''

  /** The patterns that match nothing and are not likely to match later, since all servers that they could match are up. */
  const unusedIn = (kinds: readonly ListKind[]): readonly string[] => {
    const [kind = 'tools'] = kinds
    const selection = selections(kind)
    const of = kinds.flatMap((one) => tables.get(one) ?? [])
    if (selection === undefined || of.length < kinds.length) return []
    const full = of.flatMap(({ sources }) =>
      servers.flatMap((server, i) => (sources[i] ?? []).map((entry) => fullName(kind, server.name, entry.key))),
    )
    // A server with templates has resources that are in no list.
    const open = servers.filter(
      (server, i) => server.upstream.status().state !== 'ready' || of.some((one) => one.kind === 'templates' && one.sources[i]?.length),
    )
    const mayStillMatch = (pattern: string) => open.some(({ name }) => couldBegin(pattern.replace(/^!/, ''), fullName(kind, name, '')))
    return selection.unused(full).filter((pattern) => !mayStillMatch(pattern))
  }

  return (table) => {
    tables.set(table.kind, table)
    const lost = [...tables.values()].flatMap((one) => one.lost)
    const unused = [...unusedIn(['tools']), ...unusedIn(['prompts']), ...unusedIn(['resources', 'templates'])]
    const text = JSON.stringify([lost, unused])
    if (text === reported) return
    reported = text
    events.conflicts(lost)
    if (unused.length > 0) events.selectsNothing(unused)
  }
}

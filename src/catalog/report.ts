import type { ListKind } from '../mcp/mcp.ts'
import { fullName, type ListTable } from './list-table.ts'
import type { Selections } from './merged-offers.ts'
import type { CatalogEvents, CatalogServer } from './model.ts'
import { couldBegin } from './selection.ts'

/** Tells what is odd about a view whenever one of its tables changes that: conflicts, and patterns without a match. */
export function createReport(servers: readonly CatalogServer[], selections: Selections, events: CatalogEvents): (table: ListTable) => void {
  const tables = new Map<ListKind, ListTable>()
  let reported = ''

  /** Patterns that match nothing in tables of one kind, and could not as long as every server that they may mean answers as it does. */
  const unusedIn = (kinds: readonly ListKind[]): readonly string[] => {
    const [kind = 'tools'] = kinds
    const selection = selections(kind)
    const of = kinds.flatMap((one) => tables.get(one) ?? [])
    if (selection === undefined || of.length < kinds.length) return []
    const full = of.flatMap(({ sources }) =>
      servers.flatMap((server, i) => (sources[i] ?? []).map((entry) => fullName(kind, server.name, entry.key))),
    )
    // Templates make URIs that no list holds.
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

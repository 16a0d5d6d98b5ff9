import { anonymous } from '../../mcp/mcp.ts'
import type { Snapshot } from './snapshot.ts'
import { allWays } from './ways-to-agents.ts'

/**
 * How many tools of each agent a caller without a credential sees, on the first way to it. Agents that let no such caller in are left
 * out.
 */
export function anonymousToolCounts(snapshot: Snapshot): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const seen = new Set<string>()
  for (const { agent, gate, target, head } of allWays(snapshot)) {
    if (seen.has(agent)) continue
    seen.add(agent)
    const admitted = gate.admit(head)
    if (admitted instanceof Promise || admitted.kind === 'refused') continue
    counts.set(agent, gate.enter(target, anonymous, head).catalog.toolCount())
  }
  return counts
}

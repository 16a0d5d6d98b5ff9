import type { Agent, Listener, Route, Rule } from '../../config/config.ts'
import { anonymous, type Head } from '../../mcp/mcp.ts'
import type { Endpoint, Gate } from './endpoint.ts'
import { type Snapshot, socketOf } from './snapshot.ts'

/** A way through the document to an agent, and a plain request from this machine that takes it. */
export interface Way {
  readonly listener: Listener
  readonly route: Route
  readonly rule: Rule
  readonly gate: Gate
  readonly target: Endpoint
  readonly head: Head
  readonly agent: string
  readonly settings: Agent
}

/** The ways of the document that lead to an agent, one for each listener and rule. */
export function waysTo(snapshot: Snapshot, agent: string): readonly Way[] {
  return waysOf(snapshot, (name) => name === agent)
}

/**
 * How many tools of each agent a caller without a credential sees, on the first way to it. Agents that let no such caller in are left
 * out.
 */
export function anonymousToolCounts(snapshot: Snapshot): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const seen = new Set<string>()
  for (const { agent, gate, target, head } of waysOf(snapshot, () => true)) {
    if (seen.has(agent)) continue
    seen.add(agent)
    const admitted = gate.admit(head)
    if (admitted instanceof Promise || admitted.kind === 'refused') continue
    counts.set(agent, gate.enter(target, anonymous, head).catalog.toolCount())
  }
  return counts
}

function waysOf({ config, listeners, endpoints }: Snapshot, isWanted: (agent: string) => boolean): readonly Way[] {
  return config.routes.flatMap((route) =>
    route.rules.flatMap((rule, index) => {
      const agent = rule.backends[0]?.agent
      const target = endpoints.get(index === 0 ? route.name : `${route.name}#${index}`)
      if (agent === undefined || target === undefined || !isWanted(agent)) return []
      const settings = Object.hasOwn(config.agents, agent) ? config.agents[agent] : undefined
      if (settings === undefined) return []
      return listeners.flatMap(({ listener, gates }): Way[] => {
        const gate = gates.get(rule)
        if (gate === undefined) return []
        const head: Head = {
          method: 'POST',
          path: rule.matches[0]?.path.value ?? '/',
          query: '',
          host: route.hostnames[0] ?? listener.hostname ?? 'localhost',
          listener: socketOf(listener),
          remote: '127.0.0.1',
          header: () => undefined,
        }
        return [{ listener, route, rule, gate, target, head, agent, settings }]
      })
    }),
  )
}

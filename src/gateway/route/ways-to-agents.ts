import type { Agent, Listener, Route, Rule } from '../../config/config.ts'
import type { Head } from '../../mcp/mcp.ts'
import type { Endpoint, Gate } from './endpoint.ts'
import { socketOf } from './find-listener.ts'
import type { Snapshot } from './snapshot.ts'

/** One combination of a listener and a rule that leads to an agent, and the head of a plain request from this machine that takes it. */
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

/** The ways to one agent: one for each listener and rule. */
export function waysTo(snapshot: Snapshot, agent: string): readonly Way[] {
  return allWays(snapshot).filter((way) => way.agent === agent)
}

/** The ways to all agents, in the order of the document's routes. */
export function allWays({ config, listeners, endpoints }: Snapshot): readonly Way[] {
  return config.routes.flatMap((route) =>
    route.rules.flatMap((rule, index) => {
      const agent = rule.backends[0]?.agent
      const target = endpoints.get(index === 0 ? route.name : `${route.name}#${index}`)
      if (agent === undefined || target === undefined) return []
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

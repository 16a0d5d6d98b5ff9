import { Counter, type Registry } from 'prom-client'

/** Most pairs of an agent and a rule, over all documents that were ever in force; further ones count as `other`. */
const maxPairs = 2000

/** Counts requests that rules denied, by agent and by the rule's path in the document; either may be empty. */
export function createDenialCounter(registers: Registry[]): (agent: string, rule: string) => void {
  const counter = new Counter({
    name: 'mcplex_policy_denials_total',
    help: 'Requests that a rule denied.',
    labelNames: ['mcplex_agent', 'mcplex_rule'],
    registers,
  })
  const pairs = new Set<string>()
  return (agent, rule) => {
    const pair = `${agent}\n${rule}`
    const isOther = !pairs.has(pair) && pairs.size >= maxPairs
    if (!isOther) pairs.add(pair)
    counter.inc(isOther ? { mcplex_agent: 'other', mcplex_rule: 'other' } : { mcplex_agent: agent, mcplex_rule: rule })
  }
}

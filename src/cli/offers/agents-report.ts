import { matchesPattern } from '../../catalog/catalog.ts'
import type { Config } from '../../config/config.ts'
import { type AgentReport, type Offer, reportTool, sum } from './tools-report.ts'

/** What the agents of a configuration see of these tools by their selections, whoever calls. */
export function reportAgents({ agents }: Config, offers: readonly Offer[]): readonly AgentReport[] {
  const known = offers.flatMap((offer) =>
    offer.kind === 'offer'
      ? offer.tools.map((text, index) => ({
          backend: offer.backend,
          name: offer.fullNames?.[index] ?? '',
          tokens: reportTool(text).tokens,
        }))
      : [],
  )
  return Object.entries(agents).map(([name, { from, tools: patterns }]) => {
    const seen = known.filter((tool) => tool.backend !== undefined && from.includes(tool.backend) && isSelected(patterns, tool.name))
    return { name, tools: seen.length, of: known.length, tokens: sum(seen.map(({ tokens }) => tokens)) }
  })
}

function isSelected(patterns: readonly string[], name: string): boolean {
  const isMatched = (isExclusion: boolean) =>
    patterns.some((pattern) => pattern.startsWith('!') === isExclusion && matchesPattern(isExclusion ? pattern.slice(1) : pattern, name))
  return isMatched(false) && !isMatched(true)
}

import { escapeUnsafe } from '../../observe/observe.ts'
import { toolTokens } from './tokens.ts'

/** The tools of one server as JSON texts, in the form of `tools/list`; or why they are not known. */
export type Offer =
  | { readonly kind: 'offer'; readonly server: string; readonly tools: readonly string[] }
  | { readonly kind: 'unreachable'; readonly server: string; readonly text: string }

/** `mcplex tools --output json`. Tokens are estimates (`toolTokens`). */
export interface ToolsReport {
  readonly servers: readonly ServerReport[]
  readonly tools: number
  readonly tokens: number
}

export interface ServerReport {
  readonly name: string
  /** Why the server's tools are not known. */
  readonly error?: string
  readonly tools: readonly { readonly name: string; readonly description: string; readonly tokens: number }[]
  readonly tokens: number
}

export function reportTools(offers: readonly Offer[]): ToolsReport {
  const servers = offers.map((offer): ServerReport => {
    if (offer.kind === 'unreachable') return { name: offer.server, error: offer.text, tools: [], tokens: 0 }
    const tools = offer.tools.map((text) => {
      const { name, description } = JSON.parse(text) as Record<string, unknown>
      return { name: String(name), description: typeof description === 'string' ? description : '', tokens: toolTokens(text) }
    })
    return { name: offer.server, tools, tokens: sum(tools.map((tool) => tool.tokens)) }
  })
  return { servers, tools: sum(servers.map((server) => server.tools.length)), tokens: sum(servers.map((server) => server.tokens)) }
}

/** The report as a table for people, without a line end. Text from servers is escaped and cut to the width. */
export function showTools(report: ToolsReport, columns = 100): string {
  const names = report.servers.flatMap((server) => server.tools.map((tool) => escapeUnsafe(tool.name)))
  const width = Math.min(40, Math.max(0, ...names.map((name) => name.length)))
  const lines = report.servers.flatMap((server) => [
    server.error === undefined
      ? `${escapeUnsafe(server.name)}: ${count(server.tools.length)}, ≈ ${server.tokens} tokens`
      : `${escapeUnsafe(server.name)}: ${escapeUnsafe(server.error)}`,
    ...server.tools.map((tool) => {
      const start = `  ${escapeUnsafe(tool.name).padEnd(width)}  ≈ ${String(tool.tokens).padStart(4)}  `
      return cut(start + escapeUnsafe(tool.description.split('\n', 1)[0] ?? ''), columns).trimEnd()
    }),
  ])
  return [...lines, `in all: ${count(report.tools)}, ≈ ${report.tokens} tokens each time a model is shown the list`].join('\n')
}

function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text
}

function count(tools: number): string {
  return tools === 1 ? '1 tool' : `${tools} tools`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

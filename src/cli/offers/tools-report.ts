import { escapeUnsafe } from '../../observe/observe.ts'
import { toolTokens } from './tokens.ts'

/** The tools of one server as JSON texts, in the form of `tools/list`; or why they are not known. */
export type Offer =
  | {
      readonly kind: 'offer'
      readonly server: string
      readonly tools: readonly string[]
      /** Of a server of a configuration: its backend, and the tools' names as agents' selections have them. */
      readonly backend?: string
      readonly fullNames?: readonly string[]
    }
  | { readonly kind: 'unreachable'; readonly server: string; readonly text: string }

/** `mcplex tools --output json`. Tokens are estimates (`toolTokens`). */
export interface ToolsReport {
  readonly servers: readonly ServerReport[]
  readonly tools: number
  readonly tokens: number
  /** What the agents of a configuration see of them. */
  readonly agents?: readonly AgentReport[]
}

export interface ServerReport {
  readonly name: string
  /** Why the server's tools are not known. */
  readonly error?: string
  readonly tools: readonly ToolReport[]
  readonly tokens: number
}

export interface ToolReport {
  readonly name: string
  readonly description: string
  /** How many arguments it takes. */
  readonly arguments: number
  readonly tokens: number
}

export interface AgentReport {
  readonly name: string
  readonly tools: number
  /** How many there are in all. */
  readonly of: number
  readonly tokens: number
}

export function reportTools(offers: readonly Offer[], agents?: readonly AgentReport[]): ToolsReport {
  const servers = offers.map((offer): ServerReport => {
    if (offer.kind === 'unreachable') return { name: offer.server, error: offer.text, tools: [], tokens: 0 }
    const tools = offer.tools.map(reportTool)
    return { name: offer.server, tools, tokens: sum(tools.map((tool) => tool.tokens)) }
  })
  const report = { servers, tools: sum(servers.map((server) => server.tools.length)), tokens: sum(servers.map((server) => server.tokens)) }
  return agents === undefined ? report : { ...report, agents }
}

/** @param text of a tool as JSON */
export function reportTool(text: string): ToolReport {
  const { name, description, inputSchema } = JSON.parse(text) as Record<string, unknown>
  const properties = (inputSchema as { properties?: unknown } | undefined)?.properties
  return {
    name: String(name),
    description: typeof description === 'string' ? description : '',
    arguments: typeof properties === 'object' && properties !== null ? Object.keys(properties).length : 0,
    tokens: toolTokens(text),
  }
}

/** The report as a table for people, without a line end. Text from servers is escaped and cut to the width. */
export function showTools(report: ToolsReport, columns = 100): string {
  const rows = rowsOf(
    report.servers.flatMap(({ tools }) => tools),
    columns,
  )
  const lines = report.servers.flatMap((server) => [
    server.error === undefined
      ? `${escapeUnsafe(server.name)}: ${count(server.tools.length)}, ≈ ${server.tokens} tokens`
      : `${escapeUnsafe(server.name)}: ${escapeUnsafe(server.error)}`,
    ...server.tools.map(rows.show),
  ])
  const agents = (report.agents ?? []).map((agent) => `agent ${showAgent(agent)}`)
  return [
    ...rows.head,
    ...lines,
    `in all: ${count(report.tools)}, ≈ ${report.tokens} tokens each time a model is shown the list`,
    ...agents,
  ].join('\n')
}

/** The tools that a caller of an agent sees, as a table without a line end. */
export function showAgentTools(agent: AgentReport, tools: readonly ToolReport[], columns = 100): string {
  const rows = rowsOf(tools, columns)
  return [...rows.head, ...tools.map(rows.show), `agent ${showAgent(agent)} each time a model is shown the list`].join('\n')
}

function showAgent({ name, tools, of, tokens }: AgentReport): string {
  return `${name} sees ${tools} of ${count(of)}, ≈ ${tokens} tokens`
}

/** The head and the rows of a table of these tools. */
function rowsOf(tools: readonly ToolReport[], columns: number) {
  const names = tools.map((tool) => escapeUnsafe(tool.name))
  const width = Math.min(40, Math.max(4, ...names.map((name) => name.length)))
  return {
    head: tools.length === 0 ? [] : [`  ${'TOOL'.padEnd(width)}  ARGS  TOKENS`],
    show: (tool: ToolReport) => {
      const numbers = `${String(tool.arguments).padStart(4)}  ${`≈ ${String(tool.tokens).padStart(4)}`}`
      const start = `  ${escapeUnsafe(tool.name).padEnd(width)}  ${numbers}  `
      return cut(start + escapeUnsafe(tool.description.split('\n', 1)[0] ?? ''), columns).trimEnd()
    },
  }
}

function cut(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text
}

function count(tools: number): string {
  return tools === 1 ? '1 tool' : `${tools} tools`
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

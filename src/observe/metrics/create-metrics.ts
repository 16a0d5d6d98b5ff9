import { Counter, Gauge, Registry } from 'prom-client'
import type { Reason } from '../../mcp/mcp.ts'
import type { RequestRecord } from '../records/records.ts'
import { createDenialCounter } from './denial-counter.ts'
import { DurationHistogram, type DurationSeries } from './duration-histogram.ts'
import { createStateMetrics, type StateMetrics, type StateMetricsOptions } from './state-metrics.ts'

/** The state of a server for its gauges; `tools` counts those that it listed last. */
export interface ServerState {
  readonly up: boolean
  readonly tools: number
}

/** The process's metrics. No label ever holds a caller, a session or a URI, and the number of series is bounded. */
export interface Metrics extends StateMetrics {
  /** Sets the labels that request metrics have; undefined: all. Where they have changed, counting begins anew, as after a start. */
  configure(settings: { readonly labels?: readonly RequestLabel[] | undefined }): void
  /** Counts a finished request: `durationMs` as the server towards clients, `upstreamMs` as the client towards its server. */
  observeRequest(record: RequestRecord): void
  /** Counts a client's legacy session that has ended. */
  observeSession(durationMs: number): void
  /** A server is there: counters about it begin. */
  startServer(server: string): void
  setServer(server: string, state: ServerState): void
  /** Removes a server's samples when the configuration no longer has it. */
  forgetServer(server: string): void
  countRepair(server: string): void
  setNameConflicts(count: number): void
  /** Counts a request that was refused before it became a call. */
  countEdgeRefusal(reason: Reason): void
  /** Counts a request that a rule denied. @param rule its path in the document; empty where no one rule did */
  countDenial(agent: string, rule: string): void
  /** Counts a client that has lost its connection as it took too little of what it was sent. */
  countSlowClient(): void
  /** Prometheus text exposition 0.0.4, for `/metrics`. */
  text(): Promise<string>
  readonly contentType: string
}

/** Seconds; the boundaries that OpenTelemetry's MCP conventions recommend for all four histograms. */
const buckets = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]

/** What a request's duration can be told apart by, in the order of the exposition. */
export const requestLabels = ['mcp_method_name', 'gen_ai_tool_name', 'error_type', 'mcplex_server', 'mcplex_agent'] as const
export type RequestLabel = (typeof requestLabels)[number]
type Labels = Readonly<Record<RequestLabel, string>>

/** Most distinct tool names; further ones count as `other`. */
const maxTools = 2000
/** Most distinct label sets; further ones count in one series named `other`. */
const maxSeries = 5000

/** The labels of the series that counts what is beyond `maxSeries`. */
const others: Labels = {
  mcp_method_name: 'other',
  gen_ai_tool_name: 'other',
  error_type: '',
  mcplex_server: 'other',
  mcplex_agent: 'other',
}

const methods = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
  'tasks/list',
  'tasks/result',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
])

/** JSON-RPC codes of the protocol; any other from a server counts as `_OTHER`. */
const codes = new Set([-32700, -32600, -32601, -32602, -32603, -32002, -32020, -32021, -32022, -32042])

interface Series {
  readonly server: DurationSeries
  readonly client: DurationSeries
}

/** Metrics in a registry of their own. They have the names of OpenTelemetry's conventions for MCP, in Prometheus's spelling. */
export function createMetrics({ version = '', now = Date.now }: Partial<StateMetricsOptions> = {}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const serverDuration = new DurationHistogram(
    'mcp_server_operation_duration_seconds',
    'Requests and notifications of clients, from received to answered.',
    buckets,
    registers,
  )
  const clientDuration = new DurationHistogram(
    'mcp_client_operation_duration_seconds',
    'Requests to servers, from sent to answered.',
    buckets,
    registers,
  )
  const sessionDuration = new DurationHistogram(
    'mcp_server_session_duration_seconds',
    'Sessions of clients, from initialize to their end.',
    buckets,
    registers,
  ).series({})
  const byServer = { labelNames: ['mcplex_server'] as const, registers }
  const up = new Gauge({ name: 'mcplex_server_up', help: '1 where the server last answered.', ...byServer })
  const tools = new Gauge({ name: 'mcplex_server_tools', help: 'Tools the server last listed.', ...byServer })
  const repairs = new Counter({ name: 'mcplex_result_repairs_total', help: 'Results repaired on their way.', ...byServer })
  const conflicts = new Gauge({ name: 'mcplex_name_conflicts', help: 'Names hidden by an equal one.', registers })
  const slow = new Counter({
    name: 'mcplex_slow_clients_total',
    help: 'Clients that lost their connection as they took too little of what they were sent.',
    registers,
  })
  const edge = new Counter({
    name: 'mcplex_edge_refusals_total',
    help: 'Requests refused before they were calls.',
    labelNames: ['reason'],
    registers,
  })
  const countDenial = createDenialCounter(registers)
  const state = createStateMetrics(registers, { version, now })

  const toolNames = new Set<string>()
  const series = new Map<string, Series>()

  let kept: ReadonlySet<RequestLabel> = new Set(requestLabels)
  let overflow = makeSeries(others)

  function makeSeries(labels: Labels): Series {
    const own = Object.fromEntries(requestLabels.flatMap((name) => (kept.has(name) ? [[name, labels[name]]] : [])))
    return { server: serverDuration.series(own), client: clientDuration.series(own) }
  }

  function toolLabel(record: RequestRecord): string {
    const { name } = record
    if (record.method !== 'tools/call' || record.server === undefined || name === undefined) return ''
    if (toolNames.has(name)) return name
    if (toolNames.size >= maxTools) return 'other'
    toolNames.add(name)
    return name
  }

  /**
   * The series that the last request of each tool or method was counted in: the next one mostly belongs to the same. At most `maxSeries`.
   */
  const last = new Map<string, { readonly record: RequestRecord; readonly series: Series }>()

  function seriesOf(record: RequestRecord): Series {
    const key = record.name ?? record.method
    const known = last.get(key)
    if (known !== undefined && isSameSeries(known.record, record)) return known.series
    const found = findSeries(record)
    if (last.size >= maxSeries) last.clear()
    last.set(key, { record, series: found })
    return found
  }

  function findSeries(record: RequestRecord): Series {
    const labels = {
      mcp_method_name: methods.has(record.method) ? record.method : 'other',
      gen_ai_tool_name: kept.has('gen_ai_tool_name') ? toolLabel(record) : '',
      error_type: errorType(record),
      mcplex_server: record.server ?? '',
      mcplex_agent: record.agent ?? '',
    }
    const key = requestLabels.map((name) => (kept.has(name) ? labels[name] : '')).join('\n')
    const known = series.get(key)
    if (known !== undefined) return known
    if (series.size >= maxSeries) return overflow
    const made = makeSeries(labels)
    series.set(key, made)
    return made
  }

  return {
    ...state,
    configure({ labels = requestLabels }) {
      const wanted = new Set(labels)
      if (wanted.size === kept.size && labels.every((name) => kept.has(name))) return
      kept = wanted
      for (const histogram of [serverDuration, clientDuration]) histogram.reset()
      for (const map of [series, last, toolNames]) map.clear()
      overflow = makeSeries(others)
    },
    observeRequest(record) {
      const found = seriesOf(record)
      found.server.observe(record.durationMs / 1000)
      if (record.upstreamMs !== undefined) found.client.observe(record.upstreamMs / 1000)
    },
    observeSession: (durationMs) => sessionDuration.observe(durationMs / 1000),
    startServer: (server) => repairs.inc({ mcplex_server: server }, 0),
    setServer(server, { up: isUp, tools: count }) {
      up.set({ mcplex_server: server }, isUp ? 1 : 0)
      tools.set({ mcplex_server: server }, count)
    },
    forgetServer(server) {
      for (const metric of [up, tools, repairs]) metric.remove(server)
    },
    countRepair: (server) => repairs.inc({ mcplex_server: server }),
    setNameConflicts: (count) => conflicts.set(count),
    countEdgeRefusal: (reason) => edge.inc({ reason }),
    countDenial,
    countSlowClient: () => slow.inc(),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function isSameSeries(a: RequestRecord, b: RequestRecord): boolean {
  return (
    a.name === b.name &&
    a.method === b.method &&
    a.outcome === b.outcome &&
    a.reason === b.reason &&
    a.rpcCode === b.rpcCode &&
    a.server === b.server &&
    a.agent === b.agent
  )
}

/**
 * The label `error.type`: the reason of our own refusal, else the JSON-RPC code, else `tool_error` for a result with `isError`; empty on
 * success.
 */
function errorType(record: RequestRecord): string {
  if (record.outcome === 'ok') return ''
  if (record.outcome === 'cancelled') return record.reason ?? 'cancelled'
  if (record.reason !== undefined) return record.reason
  if (record.rpcCode === undefined) return 'tool_error'
  return codes.has(record.rpcCode) ? String(record.rpcCode) : '_OTHER'
}

import { type Answer, type EraName, type Exchange, type Message, member, type Refusal, refusals, stringOf } from '../mcp/mcp.ts'
import type { RequestRecord } from '../observe/observe.ts'

/** What is found out about a request on its way, for its one line in the log. */
export interface Trace {
  route: string | undefined
  caller: string | undefined
  agent: string | undefined
  backend: string | undefined
  server: string | undefined
  method: string
  name: string | undefined
  clientEra: EraName | undefined
  serverEra: EraName | undefined
  outcome: RequestRecord['outcome']
  reason: string | undefined
  rpcCode: number | undefined
  upstreamMs: number | undefined
  traceId: string | undefined
}

export function createTrace(exchange: Exchange): Trace {
  return {
    route: undefined,
    caller: undefined,
    agent: undefined,
    backend: undefined,
    server: undefined,
    method: exchange.head.method,
    name: undefined,
    clientEra: undefined,
    serverEra: undefined,
    outcome: 'ok',
    reason: undefined,
    rpcCode: undefined,
    upstreamMs: undefined,
    traceId: traceIdOf(exchange.head.header('traceparent')),
  }
}

export function noteRefusal(trace: Trace, refusal: Refusal): void {
  trace.outcome =
    refusal.reason === 'cancelled'
      ? 'cancelled'
      : refusal.reason.startsWith('upstream-') || refusal.reason === 'internal'
        ? 'error'
        : 'refused'
  trace.reason = refusal.reason
  trace.rpcCode = refusals[refusal.reason].code
  trace.server ??= refusal.server
}

export function noteAnswer(trace: Trace, answer: Answer): void {
  if (answer.kind === 'refused') {
    noteRefusal(trace, answer)
    // A failing server under a call is told in a result.
    if (trace.method === 'tools/call' && answer.reason.startsWith('upstream-')) trace.rpcCode = undefined
  } else if (answer.kind === 'failed') {
    trace.outcome = 'error'
    trace.rpcCode = answer.error.code
  } else if (answer.kind === 'complete' && answer.isError) trace.outcome = 'error'
}

/** `traceparent` travels in `_meta` (2026-07-28, basic, OpenTelemetry trace context). */
export function noteMeta(trace: Trace, message: Message): void {
  const parent = message.meta === undefined ? undefined : member(message.meta, 'traceparent')
  if (parent !== undefined) trace.traceId = traceIdOf(stringOf(message.text, parent)) ?? trace.traceId
}

export function recordOf(trace: Trace, exchange: Exchange, now: number): RequestRecord {
  return {
    requestId: exchange.requestId,
    route: trace.route,
    caller: trace.caller,
    agent: trace.agent,
    backend: trace.backend,
    server: trace.server,
    method: trace.method,
    name: trace.name,
    clientEra: trace.clientEra,
    serverEra: trace.serverEra,
    outcome: trace.outcome,
    reason: trace.reason,
    httpStatus: exchange.status,
    rpcCode: trace.rpcCode,
    durationMs: roundMs(now - exchange.startedAt),
    upstreamMs: trace.upstreamMs === undefined ? undefined : roundMs(trace.upstreamMs),
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    traceId: trace.traceId,
  }
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** W3C Trace Context, traceparent: the 32 hex digits in the middle. */
function traceIdOf(parent: string | undefined): string | undefined {
  return parent === undefined ? undefined : /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(parent)?.[1]
}

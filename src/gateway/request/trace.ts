import { isToldInResult } from '../../era/era.ts'
import {
  type Answer,
  type Caller,
  type EraName,
  type Exchange,
  type Head,
  type Message,
  member,
  type Reason,
  type Refusal,
  refusals,
  stringOf,
} from '../../mcp/mcp.ts'
import type { Audit, AuditEntry, RequestRecord } from '../../observe/observe.ts'
import type { DecidingRule } from '../../policy/policy.ts'

/** Why a caller can't use a name. It is recorded; the caller is told `unknown-name` in each case. */
export interface Absence {
  /** `not-selected`: a server has it, and the agent does not select it. `hidden-by-rule`: rules keep it from this caller. */
  readonly reason: 'unknown-name' | 'not-selected' | 'hidden-by-rule'
  /** The server that has it. */
  readonly server: string | undefined
  /** The rule; undefined where the name is a URI in a spelling that rules can't be asked about. */
  readonly by: DecidingRule | undefined
}

/** What is learned about a request while it is served. The log line, metrics and the audit record are made of it. */
export interface Trace {
  route: string | undefined
  caller: Caller | undefined
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
  /** The audit log that gets its record. */
  audit: Audit | undefined
  /** The rule that allowed or refused it. */
  rule: AuditEntry['rule']
  /** Whether a rule refused it, or hid what it names. */
  isDenied: boolean
  /** How many entries of a list, or resources of a stream, rules withheld. */
  withheld: number
  /** Set where the name was refused as unknown: finds out why, after the reply. */
  whyAbsent: (() => Absence) | undefined
  /** JSON text of a call's arguments, for the record. */
  args: string | undefined
  /** The traces of the single messages of a batch, each of which has its own record. */
  parts: readonly Trace[] | undefined
}

/** A path that no route takes, cut for replies and records, since clients may send anything. */
export function shownPath({ path }: Pick<Head, 'path'>): string {
  return path.slice(0, 200)
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
    audit: undefined,
    rule: undefined,
    isDenied: false,
    withheld: 0,
    whyAbsent: undefined,
    args: undefined,
    parts: undefined,
  }
}

export function noteRefusal(trace: Trace, refusal: Refusal): void {
  trace.outcome =
    refusal.reason === 'cancelled' || refusal.reason === 'slow-client'
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
    // A failure of the server, and a rule about arguments, are told in the result of a tool call: then there is no error code.
    if (trace.method === 'tools/call' && isToldInResult(answer)) trace.rpcCode = undefined
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
    caller: trace.caller?.id,
    agent: trace.agent,
    backend: trace.backend,
    server: trace.server,
    method: trace.method,
    name: trace.name,
    clientEra: trace.clientEra,
    serverEra: trace.serverEra,
    outcome: trace.outcome,
    reason: trace.reason,
    rule: trace.isDenied ? trace.rule?.place : undefined,
    path: trace.reason === 'no-route' ? shownPath(exchange.head) : undefined,
    withheld: trace.withheld === 0 ? undefined : trace.withheld,
    httpStatus: exchange.status,
    rpcCode: trace.rpcCode,
    durationMs: roundMs(now - exchange.startedAt),
    upstreamMs: trace.upstreamMs === undefined ? undefined : roundMs(trace.upstreamMs),
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    traceId: trace.traceId,
  }
}

/** Writes exactly one audit record for the request, or one for each message of a batch. */
export function recordAudit(trace: Trace, record: RequestRecord, exchange: Exchange, now: number): void {
  const { audit, caller } = trace
  if (audit === undefined) return
  if (trace.parts !== undefined) {
    for (const part of trace.parts) recordAudit(part, recordOf(part, exchange, now), exchange, now)
    return
  }
  audit.write({
    // The audit record has the rule's text as well, in a member of its own.
    record: record.rule === undefined ? record : { ...record, rule: undefined },
    sourceAddress: exchange.head.remote,
    issuer: caller?.issuer,
    subject: caller?.subject,
    actors: caller?.actors ?? [],
    rule: trace.rule,
    args: trace.args,
  })
}

/** The audit record of a request that was refused before it was read. */
export function edgeEntry({
  requestId,
  reason,
  remote,
  status,
}: {
  readonly requestId: string
  readonly reason: Reason
  readonly remote: string
  readonly status: number
}): AuditEntry {
  const nothing = {
    route: undefined,
    caller: undefined,
    agent: undefined,
    backend: undefined,
    server: undefined,
    name: undefined,
    clientEra: undefined,
    serverEra: undefined,
    rule: undefined,
    path: undefined,
    withheld: undefined,
    rpcCode: undefined,
    upstreamMs: undefined,
    traceId: undefined,
  }
  const record = { ...nothing, requestId, method: 'unread', outcome: 'refused', reason, httpStatus: status } as const
  return {
    record: { ...record, durationMs: 0, bytesIn: 0, bytesOut: 0 },
    sourceAddress: remote,
    issuer: undefined,
    subject: undefined,
    actors: [],
    rule: undefined,
    args: undefined,
  }
}

/** Notes that a rule refused the request. */
export function noteDenial(trace: Trace, by: DecidingRule | undefined): void {
  trace.isDenied = true
  noteRule(trace, by)
}

/** Notes why a name was refused as unknown. Only the record tells a hidden name from an unknown one; the caller can't. */
export function noteAbsence(trace: Trace): void {
  const absence = trace.whyAbsent?.()
  if (absence === undefined) return
  trace.reason = absence.reason
  trace.server = absence.server
  if (absence.reason === 'hidden-by-rule') noteDenial(trace, absence.by)
}

/** Notes that a rule withheld one of the resources that a stream was to tell of. */
export function noteWithheld(trace: Trace, by: DecidingRule | undefined): void {
  trace.withheld++
  if (!trace.isDenied) noteDenial(trace, by)
}

/** Notes the rule that decided about the request, whether it allowed or refused it. */
export function noteRule(trace: Trace, by: DecidingRule | undefined): void {
  if (by !== undefined) trace.rule = { place: by.place, text: by.text }
}

function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** W3C Trace Context, traceparent: the 32 hex digits in the middle. */
function traceIdOf(parent: string | undefined): string | undefined {
  return parent === undefined ? undefined : /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(parent)?.[1]
}

import { isLoopback } from '../config/config.ts'
import { type Shape, shapeOf } from '../era/era.ts'
import {
  anonymous,
  decodeText,
  type Exchange,
  type Head,
  type JsonFault,
  type Message,
  member,
  type Refusal,
  refusalReply,
  refuse,
  scanMessage,
  textOf,
} from '../mcp/mcp.ts'
import type { Log, Metrics, RequestRecord } from '../observe/observe.ts'
import { type Authenticator, hostName, registrationPath } from '../policy/policy.ts'
import { createDispatch, type DispatchDeps } from './dispatch.ts'
import {
  asPost,
  checkPost,
  createTrace,
  isModernHead,
  noteAbsence,
  noteDenial,
  noteRefusal,
  noteRule,
  readBatch,
  recordAudit,
  recordOf,
  shownPath,
  type Trace,
  type WellKnown,
  wellKnownPath,
} from './request/request.ts'
import { type CompiledListener, type Endpoint, isEventPath, type Snapshot } from './route/route.ts'

export interface ServeDeps extends DispatchDeps {
  readonly snapshot: () => Snapshot
  readonly log: Log
  readonly metrics: Metrics
  readonly now: () => number
}

/** Serves every exchange of the data port. It is the only place that catches exceptions, which are bugs. */
export function createServe(deps: ServeDeps): (exchange: Exchange) => Promise<void> {
  const { streams } = deps
  const dispatch = createDispatch(deps)

  return async (exchange) => {
    const trace = createTrace(exchange)
    try {
      const refusal = await serve(exchange, trace)
      if (refusal !== undefined) deny(exchange, trace, refusal)
      for (const one of trace.parts ?? [trace]) noteAbsence(one)
    } catch (error) {
      deps.log.error({ requestId: exchange.requestId, err: error }, 'a bug: please report it')
      if (exchange.status === 0) deny(exchange, trace, refuse('internal', 'internal error'))
    }
    if (exchange.isTooSlow) noteSlow(trace)
    const record = write(exchange, trace)
    deps.metrics.observeRequest(record)
    for (const one of trace.parts ?? [trace]) if (one.isDenied) deps.metrics.countDenial(one.agent ?? '', one.rule?.place ?? '')
    // A reply that is still on its way, and a stream that stays open, may yet be lost: that is recorded too.
    if (exchange.isUnderWay)
      exchange.onGone(() => {
        if (!exchange.isTooSlow) return
        noteSlow(trace)
        write(exchange, trace)
      })
  }

  function noteSlow(trace: Trace): void {
    for (const one of [trace, ...(trace.parts ?? [])]) noteRefusal(one, tooSlow)
    deps.metrics.countSlowClient()
  }

  function write(exchange: Exchange, trace: Trace): RequestRecord {
    const now = deps.now()
    const record = recordOf(trace, exchange, now)
    deps.log.request(record)
    recordAudit(trace, record, exchange, now)
    return record
  }

  /**
   * Takes an exchange through listener, policies, route, body, era and call. Returns a refusal that still has to be sent, or undefined
   * where the reply was made.
   */
  async function serve(exchange: Exchange, trace: Trace): Promise<Denial | undefined> {
    const { head } = exchange
    const snapshot = deps.snapshot()
    trace.audit = snapshot.audit
    const host = hostName(head.host)
    const listener = snapshot.listenerFor(head, host)
    trace.audit = listener?.audit ?? snapshot.audit
    if (listener === undefined) return refuse('no-route', 'no listener has this name')
    for (const policy of listener.policies) {
      const said = policy.admit(head)
      if (said.kind === 'refused') return said
      for (const name in said.headers) exchange.setHeader(name, said.headers[name] ?? '')
    }
    const wellKnown = wellKnownPath(head.path)
    if (wellKnown !== undefined) return metadata(snapshot, listener, wellKnown, exchange, trace)
    if (head.method === 'OPTIONS' && head.header('access-control-request-method') !== undefined) {
      exchange.reply(204, {})
      return undefined
    }
    const entry = snapshot.routeFor(listener, head, host)
    if (entry === undefined || isEventPath(head.path)) return noRoute(snapshot, listener, head)
    const { target } = entry
    trace.route = entry.route.name
    if (target.kind === 'refuse') return { ...target.refusal, status: target.status }
    trace.agent = target.agent
    trace.backend = target.backend
    const gate = listener.gates.get(entry.rule)
    if (gate === undefined) return refuse('internal', 'internal error')
    trace.audit = gate.audit
    if (gate.audit?.isOpen === false) return auditFull
    const admitting = gate.admit(head)
    const admitted = admitting instanceof Promise ? await admitting : admitting
    trace.caller = admitted.caller
    if (admitted.kind === 'refused') {
      if (admitted.reason === 'access') noteDenial(trace, admitted.by)
      else noteRule(trace, admitted.by)
      return admitted
    }
    const to = gate.enter(target, admitted.caller, head)
    switch (head.method) {
      case 'POST':
        return post(snapshot, to, exchange, trace)
      case 'GET':
        return streams.openLegacy(to, exchange, trace)
      case 'DELETE':
        return streams.endSession(snapshot, to, exchange, trace)
      default:
        return refuse('not-allowed-method', 'an MCP endpoint takes POST, GET and DELETE', {
          headers: { allow: 'GET, POST, DELETE, OPTIONS' },
        })
    }
  }

  async function post(snapshot: Snapshot, admitted: Endpoint, exchange: Exchange, trace: Trace): Promise<Denial | undefined> {
    const wrong = checkPost(exchange.head)
    if (wrong !== undefined) return wrong
    const bytes = await exchange.body()
    if ('kind' in bytes) return bytes
    // If the configuration changed while the body was read, what was decided by the head is decided again.
    const now = deps.snapshot()
    const to = now === snapshot ? admitted : now.reenter(admitted)
    if (to === undefined) return admitted.entry?.gate.authenticator?.challenge(exchange.head) ?? changed
    const text = decodeText(bytes)
    if (typeof text !== 'string') return refusalOf(text)
    const message = scanMessage(text, snapshot.json)
    if (message.kind === 'fault') return message.fault === 'not-object' ? batch(snapshot, to, text, exchange, trace) : refusalOf(message)
    const shape = shapeOf(message)
    if (shape.kind === 'refused') return { ...shape, id: idOf(message) }
    const reply = await dispatch(to, message, shape, exchange, trace)
    if (reply !== undefined) exchange.reply(reply.status, reply.headers, reply.body)
    return undefined
  }

  /** Serves a batch of 2025-03-26: each message on its own, with the answers in one array. */
  async function batch(snapshot: Snapshot, to: Endpoint, text: string, exchange: Exchange, trace: Trace): Promise<Denial | undefined> {
    const messages = readBatch(text, snapshot.json, exchange.head, to.endpoint, to.caller)
    if ('kind' in messages) return messages
    trace.method = 'batch'
    const origin = { head: exchange.head, requestId: exchange.requestId, stream: undefined }
    const parts = messages.map(() => ({ ...trace }))
    trace.parts = parts
    const answered = async ({ message, shape }: { message: Message; shape: Shape }, i: number) => {
      const reply = await dispatch(to, message, shape, origin, parts[i] ?? trace)
      return shape.kind === 'request' ? reply?.body : undefined
    }
    const bodies = (await Promise.all(messages.map(answered))).filter((body) => body !== undefined)
    if (bodies.reduce((sum, body) => sum + body.length, 0) > maxBatchChars)
      return refuse('upstream-invalid', 'the answers of this batch are too large together')
    if (bodies.length === 0) exchange.reply(202, {})
    else exchange.reply(200, { 'content-type': 'application/json' }, `[${bodies.join(',')}]`)
    return undefined
  }

  /** Serves the documents that clients read on their way to a token, for the endpoint whose path follows the well-known one. */
  async function metadata(
    snapshot: Snapshot,
    listener: CompiledListener,
    { wanted, path }: WellKnown,
    exchange: Exchange,
    trace: Trace,
  ): Promise<Denial | undefined> {
    const { head } = exchange
    const entry = snapshot.routeFor(listener, asPost(head, path), hostName(head.host))
    const gate = entry === undefined ? undefined : listener.gates.get(entry.rule)
    if (entry !== undefined) trace.route = entry.route.name
    if (gate !== undefined) trace.audit = gate.audit
    trace.caller = anonymous
    if (trace.audit?.isOpen === false) return auditFull
    const bytes = head.method === 'POST' && wanted === registrationPath ? await exchange.body() : undefined
    if (bytes !== undefined && 'kind' in bytes) return bytes
    const body = bytes === undefined ? undefined : new TextDecoder().decode(bytes)
    // Clients of 2025-03-26 look for the authorization server at the root of the host (basic, authorization, Server Metadata Discovery).
    const authenticator = gate?.authenticator ?? (path === '/' ? onlyAuthenticator(listener) : undefined)
    const reply = await authenticator?.metadata(head, wanted, gate?.authenticator === undefined ? '' : path, body)
    if (reply === undefined) return refuse('no-route', `there is nothing at ${shownPath(head)}`)
    exchange.reply(reply.status, reply.headers, reply.body)
    return undefined
  }

  function deny(exchange: Exchange, trace: Trace, refusal: Denial): void {
    noteRefusal(trace, refusal)
    deps.metrics.countEdgeRefusal(refusal.reason)
    const reply = refusalReply(refusal, refusal.id, exchange.requestId, isModernHead(exchange.head) ? 'modern' : 'legacy')
    exchange.reply(refusal.status ?? reply.status, reply.headers, reply.body)
  }

  function noRoute(snapshot: Snapshot, { listener }: CompiledListener, head: Head): Refusal {
    const hint = isEventPath(head.path) ? ' (the HTTP+SSE transport of 2024-11-05 is not served; use Streamable HTTP)' : ''
    const others = isLoopback(listener.address) ? `; there is: ${snapshot.paths(listener.name).join(', ')}` : ''
    return refuse('no-route', `no MCP endpoint at ${shownPath(head)}${hint}${others}`)
  }
}

/** A refusal before a call was dispatched: with the request's id where it is known, and with a status of its own where a route sets one. */
interface Denial extends Refusal {
  readonly id?: string | undefined
  readonly status?: number
}

/** The authenticator of a listener that has exactly one. */
function onlyAuthenticator({ gates }: CompiledListener): Authenticator | undefined {
  const [only, ...others] = new Set([...gates.values()].flatMap(({ authenticator }) => authenticator ?? []))
  return others.length === 0 ? only : undefined
}

const tooSlow = refuse('slow-client', 'The client took too little of what it was sent')

const changed = refuse('no-route', 'the configuration has changed while this request was sent: send it again')

const auditFull = refuse('audit-full', 'the record of requests can not be written at the moment, and without it none is served', {
  headers: { 'retry-after': '5' },
})

/** Bound of the answers of one batch together. */
const maxBatchChars = 64 * 1024 * 1024

function refusalOf(fault: JsonFault): Refusal {
  const isJson = fault.fault === 'repeated-key' || fault.fault === 'too-deep' || fault.fault === 'too-many-tokens'
  return refuse(isJson ? 'bad-request' : 'bad-json', fault.text)
}

function idOf(message: Message): string | undefined {
  const id = member(message.top, 'id')
  const text = id === undefined ? '' : textOf(message.text, id)
  return id?.type === 'string' || (id?.type === 'number' && /^-?\d+$/.test(text)) ? text : undefined
}

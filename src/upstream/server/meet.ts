import {
  createLegacyServer,
  createModernServer,
  discoverRequest,
  type Implementation,
  initializeRequest,
  judgeDiscover,
  legacyNotification,
  readInitialize,
  type ServerEra,
  type ServerFacts,
  type Verdict,
} from '../../era/era.ts'
import { allCapabilities, type Capabilities, type Reason, type Refusal, refuse } from '../../mcp/mcp.ts'
import { type Cause, type Connector, type Failure, olderTransport, type Reply, wordsOfStatus } from '../wire/wire.ts'
import { errorIn } from './error-in.ts'

/** A server that has been met: its era, what it declared and, if it gives sessions, the id of the gateway's own. */
export interface Met {
  readonly kind: 'met'
  readonly era: ServerEra
  readonly facts: ServerFacts
  readonly session: string | undefined
}

export interface MeetOptions {
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly clientInfo: Implementation
  readonly timeoutMs: number
  readonly nextId: () => number
}

/**
 * Finds a server's era by `server/discover`, never by a call, and performs the handshake where the era has one. Declares every
 * capability, since servers may leave out of their lists what a client could not use.
 */
export async function meet(connector: Connector, options: MeetOptions): Promise<Met | Refusal> {
  if (options.era !== 'legacy') {
    let verdict = await discover(connector, options)
    if (verdict.kind === 'again') verdict = await discover(connector, options)
    if (verdict.kind === 'again') return refuse('upstream-invalid', 'refuses the protocol version that it says it supports')
    if (verdict.kind === 'refused') return verdict
    if (verdict.kind === 'modern')
      return { kind: 'met', era: createModernServer(options.clientInfo), facts: verdict.facts, session: undefined }
    if (options.era === 'modern') return refuse('upstream-invalid', 'does not speak 2026-07-28, to which its `era` pins it')
  }
  const reply = await initialize(connector, options, allCapabilities)
  const isElsewhere = reply.kind !== 'failed' && (reply.status === 400 || reply.status === 404 || reply.status === 405)
  if (isElsewhere && (await connector.hasOlderTransport?.()))
    return refuse('upstream-invalid', olderTransport.says, { remedy: olderTransport.remedy })
  return greet(connector, options, reply)
}

async function discover(connector: Connector, options: MeetOptions): Promise<Verdict> {
  const id = options.nextId()
  const reply = await connector.post({ ...discoverRequest(id, options.clientInfo), id, timeoutMs: options.timeoutMs })
  if (reply.kind === 'message') return judgeDiscover(reply.status, reply.message)
  if (reply.kind === 'failed' || isRedirect(reply.status)) return failed(reply, 'server/discover')
  const verdict = judgeDiscover(reply.status, undefined)
  return verdict.kind === 'refused' ? failed(reply, 'server/discover') : verdict
}

/** Opens a legacy session with these client capabilities: `initialize`, then `notifications/initialized`. */
export async function shakeHands(
  connector: Connector,
  options: MeetOptions,
  capabilities: Capabilities,
  cause?: Cause,
): Promise<Met | Refusal> {
  return greet(connector, options, await initialize(connector, options, capabilities, cause), cause)
}

function initialize(
  connector: Connector,
  { nextId, clientInfo, timeoutMs }: MeetOptions,
  capabilities: Capabilities,
  cause?: Cause,
): Promise<Reply> {
  const id = nextId()
  return connector.post({ ...initializeRequest(id, clientInfo, capabilities), cause, id, timeoutMs })
}

/** Reads the answer to `initialize` and sends `notifications/initialized`. */
async function greet(connector: Connector, { timeoutMs }: MeetOptions, reply: Reply, cause?: Cause): Promise<Met | Refusal> {
  if (reply.kind !== 'message') return failed(reply, 'initialize')
  const error = errorIn(reply.message, 'initialize')
  if (error !== undefined) return refuse('upstream-invalid', error.text, { remedy: error.remedy })
  if (reply.status >= 400 && reply.status < 500) return failed({ kind: 'http', status: reply.status, text: '' }, 'initialize')
  const facts = readInitialize(reply.message)
  if ('kind' in facts) return facts
  const initialized = legacyNotification('notifications/initialized', {}, facts.version, reply.session)
  await connector.post({ ...initialized, cause, id: undefined, timeoutMs })
  return { kind: 'met', era: createLegacyServer(facts.version), facts, session: reply.session }
}

/**
 * Turns a reply that is no answer into a refusal. Its text is for the caller and holds nothing that the server wrote; its remedy is for
 * operators.
 */
export function failed(reply: Exclude<Reply, { kind: 'message' }>, method = 'the request'): Refusal {
  if (reply.kind === 'http') {
    const { says, remedy } = wordsOfStatus(reply.status, reply.text)
    const isDenied = reply.status === 401 || reply.status === 403
    return refuse(isDenied ? 'upstream-auth' : 'upstream-invalid', `answered ${method} with ${says}`, { remedy })
  }
  return refuse(reasons[reply.failure], reply.text, { remedy: reply.remedy })
}

const reasons = {
  unreachable: 'upstream-down',
  busy: 'upstream-busy',
  timeout: 'upstream-timeout',
  cancelled: 'cancelled',
  'slow-client': 'slow-client',
  broken: 'upstream-invalid',
  memory: 'upstream-memory',
} as const satisfies Record<Failure['failure'], Reason>

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}

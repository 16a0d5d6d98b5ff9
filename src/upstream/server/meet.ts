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
import { allCapabilities, type Capabilities, type Refusal, refuse } from '../../mcp/mcp.ts'
import type { Cause, Connector, Reply } from '../wire/wire.ts'

/** A server that has been met: its era, what it said of itself and, if it gives sessions, ours. */
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
 * Finds a server's era by `server/discover`, never by a call, and shakes hands where the era wants it. Every capability is
 * declared: a server may list only what clients can use.
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
  return shakeHands(connector, options, allCapabilities)
}

async function discover(connector: Connector, options: MeetOptions): Promise<Verdict> {
  const id = options.nextId()
  const reply = await connector.post({ ...discoverRequest(id, options.clientInfo), id, timeoutMs: options.timeoutMs })
  if (reply.kind === 'failed' || isRedirect(reply)) return failed(reply, 'server/discover')
  return judgeDiscover(reply.status, reply.kind === 'message' ? reply.message : undefined)
}

/** A legacy session with a server, for clients of these capabilities: `initialize`, then `notifications/initialized`. */
export async function shakeHands(
  connector: Connector,
  options: MeetOptions,
  capabilities: Capabilities,
  cause?: Cause,
): Promise<Met | Refusal> {
  const id = options.nextId()
  const { clientInfo, timeoutMs } = options
  const reply = await connector.post({ ...initializeRequest(id, clientInfo, capabilities), cause, id, timeoutMs })
  if (reply.kind !== 'message') return failed(reply, 'initialize')
  if (reply.status >= 400 && reply.status < 500) return failed({ kind: 'http', status: reply.status, text: '' }, 'initialize')
  const facts = readInitialize(reply.message)
  if ('kind' in facts) return facts
  const initialized = legacyNotification('notifications/initialized', {}, facts.version, reply.session)
  await connector.post({ ...initialized, cause, id: undefined, timeoutMs })
  return { kind: 'met', era: createLegacyServer(facts.version), facts, session: reply.session }
}

/** Why a reply is no answer. The text is for the caller: it holds nothing that the server wrote. */
export function failed(reply: Exclude<Reply, { kind: 'message' }>, method = 'the request'): Refusal {
  if (reply.kind === 'http') {
    const { status } = reply
    if (status === 401 || status === 403) return refuse('upstream-auth', `answered ${status}: it wants credentials`)
    if (isRedirect(reply))
      return refuse('upstream-invalid', `answered ${method} with a redirect (${status}): its url must be the exact one`)
    if (status === 404 || status === 405)
      return refuse('upstream-invalid', `answered ${method} with ${status}: is the path of its url right?`)
    return refuse('upstream-invalid', `answered ${method} with status ${status} and no JSON-RPC`)
  }
  switch (reply.failure) {
    case 'unreachable':
      return refuse('upstream-down', reply.text)
    case 'busy':
      return refuse('upstream-busy', reply.text)
    case 'timeout':
      return refuse('upstream-timeout', reply.text)
    case 'cancelled':
    case 'slow-client':
      return refuse(reply.failure, reply.text)
    case 'broken':
      return refuse('upstream-invalid', reply.text)
  }
}

function isRedirect(reply: Reply): reply is Extract<Reply, { kind: 'http' }> {
  return reply.kind === 'http' && reply.status >= 300 && reply.status < 400
}

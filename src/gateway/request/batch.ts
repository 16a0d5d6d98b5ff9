import { assumedLegacy, type Endpoint, hasEnvelope, type Shape, shapeOf } from '../../era/era.ts'
import { type Caller, type Head, type JsonLimits, type Message, type Refusal, refuse, scanBatch, scanMessage } from '../../mcp/mcp.ts'

export interface BatchItem {
  readonly message: Message
  readonly shape: Shape
}

/** Bound of the messages of one batch; they are served at the same time. */
const maxBatch = 50

/**
 * Reads the messages of a JSON-RPC batch, which only 2025-03-26 has (basic, Batching). One message that is wrong refuses the whole batch.
 * The client's revision is that of its session, else that of the header, else the one that a missing header means.
 */
export function readBatch(
  text: string,
  limits: JsonLimits,
  head: Head,
  endpoint: Endpoint,
  caller: Caller,
): readonly BatchItem[] | Refusal {
  const elements = scanBatch(text, limits)
  if ('kind' in elements && elements.fault === 'not-array') return refuse('bad-request', 'not a JSON-RPC message')
  if ('kind' in elements) return refuse(elements.fault === 'syntax' ? 'bad-json' : 'bad-request', elements.text)
  const sessionId = head.header('mcp-session-id')
  const session = sessionId === undefined ? undefined : endpoint.sessions.find(sessionId, { route: endpoint.route, caller: caller.id })
  if (sessionId !== undefined && session === undefined)
    return refuse('session-unknown', 'this session has ended or is not known here: initialize again')
  const version = session?.version ?? head.header('mcp-protocol-version') ?? assumedLegacy
  if (version !== assumedLegacy) return refuse('bad-request', `batches belong to ${assumedLegacy}: send one message a request`)
  if (elements.length === 0) return refuse('bad-request', 'an empty batch')
  if (elements.length > maxBatch) return refuse('bad-request', `a batch of more than ${maxBatch} messages`)
  const items: BatchItem[] = []
  for (const element of elements) {
    const message = scanMessage(text.slice(element.start, element.end), limits)
    if (message.kind === 'fault') return refuse('bad-request', `a batch holds what is no message: ${message.text}`)
    const shape = shapeOf(message)
    if (shape.kind === 'refused') return shape
    if (isOutOfPlace(message, shape)) return refuse('bad-request', 'a batch holds a message that has to come alone')
    items.push({ message, shape })
  }
  return items
}

/** `initialize` (2025-03-26, lifecycle) and messages with an envelope are never part of a batch. */
function isOutOfPlace(message: Message, shape: Shape): boolean {
  return hasEnvelope(message) || (shape.kind === 'request' && shape.method === 'initialize')
}

const envelopeKeys = [
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
  'name',
  'arguments',
  '_meta',
  'uri',
  'cursor',
  'requestState',
  'inputResponses',
  'protocolVersion',
  'capabilities',
  'clientInfo',
  'notifications',
  'requestId',
  'reason',
  'level',
  'ref',
  'argument',
  'task',
  'progressToken',
  'content',
  'structuredContent',
  'isError',
  'resultType',
  'tools',
  'nextCursor',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/logLevel',
  'io.modelcontextprotocol/subscriptionId',
] as const

const byLength: ReadonlyMap<number, readonly string[]> = Map.groupBy(envelopeKeys, (key) => key.length)
const byFold: ReadonlyMap<string, string> = new Map(envelopeKeys.map((key) => [fold(key), key]))

/** The envelope's own key that is text.slice(start, end); undefined where there is none. Makes no new string. */
export function envelopeKeyAt(text: string, start: number, end: number): string | undefined {
  const candidates = byLength.get(end - start)
  if (candidates !== undefined) for (const key of candidates) if (text.startsWith(key, start)) return key
  return undefined
}

/** The envelope's own key that a reader which folds case would take `key` for; undefined where it is like none of them. */
export function mistakenFor(key: string): string | undefined {
  return byFold.get(fold(key))
}

/** Folds what Go's encoding/json folds: case, and the two characters whose other case is ASCII (the Kelvin sign's lower case is `k`). */
function fold(key: string): string {
  return key.toLowerCase().replaceAll('ſ', 's')
}

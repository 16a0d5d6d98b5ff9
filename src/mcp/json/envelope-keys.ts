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

/** The key of the envelope that text.slice(start, end) equals, without making a new string; undefined where there is none. */
export function envelopeKeyAt(text: string, start: number, end: number): string | undefined {
  const candidates = byLength.get(end - start)
  if (candidates !== undefined) for (const key of candidates) if (text.startsWith(key, start)) return key
  return undefined
}

/** The key of the envelope that a parser which ignores case would take `key` for; undefined where there is none. */
export function mistakenFor(key: string): string | undefined {
  return byFold.get(fold(key))
}

/** Folds what Go's encoding/json folds: case, and the two characters whose other case is ASCII (the Kelvin sign's lower case is `k`). */
function fold(key: string): string {
  return key.toLowerCase().replaceAll('ſ', 's')
}

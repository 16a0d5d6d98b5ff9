import { bytesWithin, isAgentOf, isServerOf } from '../fragments/fragments.ts'
import { listAt, numberAt, type ProxyReport, type Raw, type ServerReport, textAt } from '../objects/objects.ts'

/** Bounds of what is kept of an answer: whoever runs a pod with the right labels can say anything. */
const maxChars = 300
const maxServers = 2000
const maxAgents = 2000
const maxTools = 1_000_000

const leastMaxBytes = 512 * 1024
const mostMaxBytes = 4 * 1024 * 1024
/** A server takes about 300 bytes there, and hardly less than 100 in the document. */
const bytesOfDocumentByte = 4
const maxDepth = 16
/** As many brackets, commas and colons are let through as there are this many bytes: an honest answer takes 16 for each. */
const bytesOfMark = 12

/** How many bytes an answer of a proxy of this document's Gateway may have. */
export function maxStatusBytes(document: Raw): number {
  const bytes = bytesWithin(document, mostMaxBytes / bytesOfDocumentByte) * bytesOfDocumentByte
  return Math.min(Math.max(leastMaxBytes, bytes), mostMaxBytes)
}

/** Reads a proxy's answer, or says why it is none: what would cost much to read is refused before it is read. */
export function parseStatus(
  body: Uint8Array,
): { readonly kind: 'status'; readonly status: unknown } | { readonly kind: 'failed'; readonly text: string } {
  if (isDear(body)) return { kind: 'failed', text: 'answered with JSON that is too deep or has too many parts' }
  try {
    return { kind: 'status', status: JSON.parse(new TextDecoder().decode(body)) }
  } catch {
    return { kind: 'failed', text: 'answered with something that is no JSON' }
  }
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
/** Of arrays and objects: square brackets and braces differ by one bit. */
const [opener, closer, brace] = [0x5b, 0x5d, 0x20]

function isDear(body: Uint8Array): boolean {
  const maxMarks = Math.max(1000, body.length / bytesOfMark)
  let marks = 0
  let depth = 0
  let isInString = false
  for (let at = 0; at < body.length; at++) {
    const byte = body[at] ?? 0
    if (byte === quote) isInString = !isInString
    else if (isInString) {
      if (byte === backslash) at++
    } else if (byte === comma || byte === colon) marks++
    else if ((byte & ~brace) === opener) {
      marks++
      depth++
    } else if ((byte & ~brace) === closer) depth--
    if (depth > maxDepth || marks > maxMarks) return true
  }
  return false
}

/**
 * What the JSON of a proxy's `/status` says of servers and agents of this document, which is its Gateway's; undefined where it is no such
 * answer.
 */
export function readProxyReport(status: unknown, document: Raw): ProxyReport | undefined {
  const digest = digestAt(status, 'source', 'digest')
  if (digest === undefined) return undefined
  const refused = digestAt(status, 'source', 'refused', 'digest')
  return {
    digest,
    version: shortTextAt(status, 'version') ?? '',
    refused: refused === undefined ? undefined : { digest: refused, text: shortTextAt(status, 'source', 'refused', 'text') ?? '' },
    servers: firstOf(listAt(status, 'servers'), maxServers, (one) => readServer(one, document)),
    agents: firstOf(listAt(status, 'agents'), maxAgents, (one) => readAgent(one, document)),
  }
}

function readServer(value: unknown, document: Raw): readonly [string, ServerReport] | undefined {
  const [backend, name, state] = ['backend', 'name', 'state'].map((member) => textAt(value, member))
  if (backend === undefined || name === undefined || !isServerOf(document, backend, name)) return undefined
  if (state !== 'connecting' && state !== 'ready' && state !== 'down') return undefined
  const era = textAt(value, 'era')
  return [
    JSON.stringify([backend, name]),
    {
      backend,
      name,
      state,
      era: era === 'legacy' || era === 'modern' ? era : undefined,
      tools: countAt(value, 'tools'),
      lastError: shortTextAt(value, 'lastError'),
    },
  ]
}

function readAgent(value: unknown, document: Raw): readonly [string, ProxyReport['agents'][number]] | undefined {
  const name = textAt(value, 'name')
  return name === undefined || !isAgentOf(document, name) ? undefined : [name, { name, tools: countAt(value, 'tools') }]
}

/** What of a list can be read, each once. */
function firstOf<T>(list: readonly unknown[], max: number, read: (value: unknown) => readonly [string, T] | undefined): readonly T[] {
  const found = new Map<string, T>()
  for (const value of list) {
    if (found.size >= max) break
    const one = read(value)
    if (one !== undefined && !found.has(one[0])) found.set(...one)
  }
  return [...found.values()]
}

function digestAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path)
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined
}

/** Line ends, other control characters, and what turns the direction of writing. */
const unseen = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu

/** As the API server keeps it, without half a character at its end, and as a terminal may show it: unseen characters are a space. */
function shortTextAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path)
    ?.replace(unseen, ' ')
    .trim()
  if (text === undefined) return undefined
  // A part of a long text would keep all of it in memory; a copy does not.
  return text.length > maxChars ? Buffer.from(`${text.slice(0, maxChars - 1)}…`).toString() : text.toWellFormed()
}

function countAt(value: unknown, member: string): number {
  const count = numberAt(value, member)
  return count !== undefined && Number.isInteger(count) && count >= 0 && count <= maxTools ? count : 0
}

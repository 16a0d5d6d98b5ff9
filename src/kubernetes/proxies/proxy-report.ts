import { bytesWithin, isAgentOf, isServerOf } from '../fragments/fragments.ts'
import { listAt, numberAt, type ProxyReport, type Raw, type ServerReport, textAt } from '../objects/objects.ts'

/** Bounds of what is kept of an answer, as whoever can run a pod with the right labels can answer anything. */
const maxChars = 300
const maxServers = 2000
const maxAgents = 2000
const maxTools = 1_000_000

const leastMaxBytes = 512 * 1024
const mostMaxBytes = 4 * 1024 * 1024
/**
 * How many bytes an answer may have for each byte of the document: a server takes about 300 bytes in an answer, and hardly less than 100 in
 * the document.
 */
const bytesOfDocumentByte = 4
const maxDepth = 16
/** An answer may have one bracket, comma or colon for this many bytes; a real one has one for 16. */
const bytesOfMark = 12

/** The most bytes that an answer may have of a proxy that serves this document. */
export function maxStatusBytes(document: Raw): number {
  const bytes = bytesWithin(document, mostMaxBytes / bytesOfDocumentByte) * bytesOfDocumentByte
  return Math.min(Math.max(leastMaxBytes, bytes), mostMaxBytes)
}

/** Parses a proxy's answer, or says why it can't be: JSON that would be expensive to parse is refused before. */
export function parseStatus(
  body: Uint8Array,
): { readonly kind: 'status'; readonly status: unknown } | { readonly kind: 'failed'; readonly text: string } {
  if (isExpensive(body)) return { kind: 'failed', text: 'answered with JSON that is too deep or has too many parts' }
  try {
    return { kind: 'status', status: JSON.parse(new TextDecoder().decode(body)) }
  } catch {
    return { kind: 'failed', text: 'answered with something that is no JSON' }
  }
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
/** The brackets of arrays and objects: square brackets and braces differ in one bit. */
const [opener, closer, brace] = [0x5b, 0x5d, 0x20]

function isExpensive(body: Uint8Array): boolean {
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
 * Reads a proxy's `/status`, as far as it is about servers and agents of its Gateway's document; undefined where it is no status.
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

/** What can be read of a list, each item once, up to a number of items. */
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

/** Control characters, line ends among them, and characters that change the direction of writing. */
const invisible = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu

/** A text that is short, well-formed Unicode and safe to show in a terminal: control characters become a space. */
function shortTextAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path)
    ?.replace(invisible, ' ')
    .trim()
  if (text === undefined) return undefined
  // A part of a long text would keep all of it in memory; a copy does not.
  return text.length > maxChars ? Buffer.from(`${text.slice(0, maxChars - 1)}…`).toString() : text.toWellFormed()
}

function countAt(value: unknown, member: string): number {
  const count = numberAt(value, member)
  return count !== undefined && Number.isInteger(count) && count >= 0 && count <= maxTools ? count : 0
}

import type { ProxyReport, Raw, ServerReport } from './model.ts'
import { listAt, numberAt, rawAt, textAt, valueAt } from './raw.ts'

/** Bounds of what is kept of an answer: whoever runs a pod with the right labels can say anything. */
const maxChars = 300
const maxServers = 2000
const maxAgents = 2000
const maxTools = 1_000_000

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

export function isServerOf(document: Raw, backend: string, name: string): boolean {
  return valueAt(document, 'backends', backend, 'servers', name) !== undefined
}

export function isAgentOf(document: Raw, name: string): boolean {
  return Object.hasOwn(rawAt(document, 'agents'), name)
}

function digestAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path)
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? text : undefined
}

/** As the API server keeps it: without half a character at its end. */
function shortTextAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path)
  if (text === undefined) return undefined
  return (text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text).toWellFormed()
}

function countAt(value: unknown, member: string): number {
  const count = numberAt(value, member)
  return count !== undefined && Number.isInteger(count) && count >= 0 && count <= maxTools ? count : 0
}

import { join } from 'node:path'
import {
  Client as Client2,
  ProtocolError,
  StreamableHTTPClientTransport as Transport2,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { run } from './child.ts'
import { type Part, ready } from './part.ts'
import { python1, python2 } from './python.ts'

export interface ToolCall {
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** What a client made of a call: the text of its result, or the code of a JSON-RPC error. */
export type ToolAnswer = { readonly text: string; readonly isError: boolean } | { readonly error: number }

/** What a client saw on one connection. */
export interface Transcript {
  readonly tools: readonly string[]
  readonly answers: readonly ToolAnswer[]
}

/** A real client: connects once, lists, calls in the given order, disconnects. */
export type RealClient = (url: string, calls: readonly ToolCall[]) => Promise<Transcript>

/** Clients that this machine has at once or prepares, by name. */
export const realClients: Readonly<Record<string, () => Promise<Part<RealClient>>>> = {
  'TypeScript SDK 1': async () => ready(typescript1),
  'TypeScript SDK 2, legacy': async () => ready(typescript2('legacy')),
  'TypeScript SDK 2, auto': async () => ready(typescript2('auto')),
  'TypeScript SDK 2, modern': async () => ready(typescript2({ pin: '2026-07-28' })),
  'Python mcp 1.30': () => python(python1(), 'mcp1-client.py', 'legacy'),
  'Python mcp 2.3, legacy': () => python(python2(), 'mcp2-client.py', 'legacy'),
  'Python mcp 2.3, auto': () => python(python2(), 'mcp2-client.py', 'auto'),
  'Python mcp 2.3, modern': () => python(python2(), 'mcp2-client.py', '2026-07-28'),
}

/** A client of either TypeScript SDK. */
export type AnyClient = Client1 | Client2

/** A connected client of the TypeScript SDK 1, with that fetch. The caller closes it. */
export async function connect1(url: string, fetchWith: typeof fetch = fetch): Promise<Client1> {
  const client = new Client1({ name: 'test', version: '1' })
  await client.connect(new Transport1(new URL(url), { fetch: fetchWith }) as Transport)
  return client
}

/** A connected client of the TypeScript SDK 2. The caller closes it. */
export async function connect2(url: string, mode: VersionNegotiationMode): Promise<Client2> {
  const client = new Client2({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new Transport2(new URL(url)))
  return client
}

/** The text of a result's text blocks. */
export function textOf(result: object): string {
  const blocks = 'content' in result && Array.isArray(result.content) ? result.content : []
  return blocks.map((block: { type?: unknown; text?: unknown }) => (block.type === 'text' ? String(block.text) : '')).join('')
}

async function typescript1(url: string, calls: readonly ToolCall[]): Promise<Transcript> {
  const client = await connect1(url)
  try {
    const tools = (await client.listTools()).tools.map((tool) => tool.name)
    const call = async ({ tool, arguments: args }: ToolCall) => answer(await client.callTool({ name: tool, arguments: { ...args } }))
    return { tools, answers: await inOrder(calls, call) }
  } finally {
    await client.close()
  }
}

function typescript2(mode: VersionNegotiationMode): RealClient {
  return async (url, calls) => {
    const client = await connect2(url, mode)
    try {
      const tools = (await client.listTools()).tools.map((tool) => tool.name)
      const call = async ({ tool, arguments: args }: ToolCall) => answer(await client.callTool({ name: tool, arguments: { ...args } }))
      return { tools, answers: await inOrder(calls, call) }
    } finally {
      await client.close()
    }
  }
}

async function python(interpreter: Promise<Part<string>>, script: string, mode: string): Promise<Part<RealClient>> {
  const part = await interpreter
  if (part.kind === 'missing') return part
  return ready(async (url, calls) => {
    const path = join(import.meta.dirname, '../fixtures', script)
    const done = await run(part.value, [path, url, mode, JSON.stringify(calls)])
    if (done.code !== 0) throw new Error(`${script} ${mode}: ${done.code ?? done.signal}\n${done.stderr}`)
    return JSON.parse(done.stdout) as Transcript
  })
}

async function inOrder(calls: readonly ToolCall[], make: (call: ToolCall) => Promise<ToolAnswer>): Promise<ToolAnswer[]> {
  const answers: ToolAnswer[] = []
  for (const call of calls) {
    try {
      answers.push(await make(call))
    } catch (error) {
      if (!(error instanceof McpError || error instanceof ProtocolError)) throw error
      answers.push({ error: error.code })
    }
  }
  return answers
}

function answer(result: object): ToolAnswer {
  return { text: textOf(result), isError: 'isError' in result && result.isError === true }
}

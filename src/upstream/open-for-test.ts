import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Addressed } from '../era/era.ts'
import {
  type Answer,
  anonymous,
  Buffers,
  type Call,
  Cancellation,
  type ClientSession,
  type Refusal,
  ServerBuffers,
  scanMessage,
  subjectOf,
} from '../mcp/mcp.ts'
import { createUpstream } from './create-upstream.ts'
import type { Upstream } from './model.ts'
import type { UpstreamSettings } from './server/settings.ts'
import type { UpstreamEvents } from './server/status.ts'
import type { Connector } from './wire/connector.ts'
import type { HttpSettings } from './wire/http/settings.ts'
import { createStreamableHttp } from './wire/http/streamable-http.ts'

/** For tests: one request that a scripted server got. */
export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly id: number | undefined
  readonly params: { readonly [key: string]: unknown }
  /** The whole body. */
  readonly message: { readonly [key: string]: unknown }
  /** The session id in its header. */
  readonly session: string | undefined
  /** Answers with a result. */
  result(value: object, headers?: Readonly<Record<string, string>>): void
  /** Answers with any status, content type and body. */
  reply(status: number, type: string, body: string, headers?: Readonly<Record<string, string>>): void
}

/** What a scripted server does with each method; GET, DELETE and `*` for all others too. */
export type Script = Readonly<Record<string, (arrival: Arrival) => void>>

export interface ScriptedServer {
  readonly url: string
  readonly port: number
  /** Methods in the order in which they came. */
  readonly seen: readonly string[]
  readonly arrivals: readonly Arrival[]
  /** Resolves when the n-th request of a method is there. */
  arrived(method: string, n?: number): Promise<Arrival>
  count(method: string): number
  /** Adds to the script, or changes it. */
  script: Script
  close(): void
}

const info = { name: 'scripted', version: '1' }

/** A legacy server without sessions and with one tool, unless the script says otherwise. */
const legacyScript: Script = {
  GET: ({ reply }) => reply(405, 'text/plain', ''),
  DELETE: ({ reply }) => reply(204, 'text/plain', ''),
  'server/discover': ({ reply, id }) =>
    reply(404, 'application/json', `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no"}}`),
  initialize: ({ result }) => result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: info }),
  'notifications/initialized': ({ reply }) => reply(202, 'text/plain', ''),
  'tools/list': ({ result }) => result({ tools: [{ name: 'x', inputSchema: { type: 'object' } }] }),
  'tools/call': ({ result }) => result({ content: [] }),
  '*': ({ reply }) => reply(202, 'text/plain', ''),
}

/** For tests: a real HTTP server on loopback that does what its script says. */
export async function openScripted(script: Script = {}, port = 0): Promise<ScriptedServer> {
  const arrivals: Arrival[] = []
  let wake: (() => void)[] = []
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const message =
      body === '' ? {} : (JSON.parse(body) as { method?: string; id?: number; params?: Arrival['params']; [key: string]: unknown })
    const reply: Arrival['reply'] = (status, type, text, headers = {}) =>
      void response.writeHead(status, { 'content-type': type, ...headers }).end(text)
    const arrival: Arrival = {
      request,
      response,
      method: request.method === 'POST' ? (message.method ?? 'response') : (request.method ?? ''),
      id: message.id,
      params: message.params ?? {},
      message,
      session: request.headers['mcp-session-id']?.toString(),
      reply,
      result: (value, headers) =>
        reply(200, 'application/json', JSON.stringify({ jsonrpc: '2.0', id: message.id, result: value }), headers),
    }
    arrivals.push(arrival)
    const waiting = wake
    wake = []
    for (const resolve of waiting) resolve()
    const act = server.script[arrival.method] ?? legacyScript[arrival.method] ?? legacyScript['*']
    act?.(arrival)
  })
  await once(http.listen(port, '127.0.0.1'), 'listening')
  const bound = (http.address() as AddressInfo).port
  const server: ScriptedServer = {
    url: `http://127.0.0.1:${bound}/mcp`,
    port: bound,
    arrivals,
    get seen() {
      return arrivals.map((arrival) => arrival.method)
    },
    count: (method) => arrivals.filter((arrival) => arrival.method === method).length,
    async arrived(method, n = 1) {
      for (;;) {
        const found = arrivals.filter((arrival) => arrival.method === method)[n - 1]
        if (found !== undefined) return found
        await new Promise<void>((resolve) => wake.push(resolve))
      }
    },
    script,
    close() {
      http.close()
      http.closeAllConnections()
    },
  }
  return server
}

/** A modern server's answers to the handshake. */
export const modernScript: Script = {
  'server/discover': ({ result }) =>
    result({ resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } } }),
  'tools/list': ({ result }) =>
    result({ resultType: 'complete', ttlMs: 1000, cacheScope: 'public', tools: [{ name: 'x', inputSchema: { type: 'object' } }] }),
  'subscriptions/listen': ({ response }) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n'),
}

export interface TestUpstream {
  readonly upstream: Upstream
  readonly dropped: string[]
  readonly repaired: string[]
  /** How often its list became another one. */
  changes(): number
  /** Resolves when `isIt` holds; it is asked after every event. */
  until(isIt: () => boolean): Promise<void>
}

/** For tests: an upstream of a scripted server, with short time-outs. */
export function openUpstream(
  url: string,
  settings: Partial<UpstreamSettings> = {},
  http: Partial<HttpSettings> = {},
  wrap: (connector: Connector) => Connector = (connector) => connector,
  buffers = new Buffers(),
): TestUpstream {
  const dropped: string[] = []
  const repaired: string[] = []
  let changes = 0
  let wake: (() => void)[] = []
  const happened = () => {
    const waiting = wake
    wake = []
    for (const resolve of waiting) resolve()
  }
  const events: UpstreamEvents = {
    listChanged() {
      changes++
      happened()
    },
    stateChanged: happened,
    dropped: (reasons) => dropped.push(...reasons),
    repaired: (tool) => repaired.push(tool),
  }
  const serverBuffers = new ServerBuffers(buffers)
  const own: HttpSettings = {
    url,
    at: new URL(url).host,
    headers: ['user-agent', 'test'],
    tls: undefined,
    connectMs: 2000,
    answerBytes: 16 * 1024 * 1024,
    idleMs: undefined,
    json: { depth: 64, tokens: 1_000_000 },
    ...http,
  }
  const connector = createStreamableHttp(own, serverBuffers)
  const upstream = createUpstream(
    {
      backend: 'b',
      name: 's',
      identity: 'i',
      era: 'auto',
      requestMs: 5000,
      listMs: 5000,
      ttlMs: 60_000,
      pages: 100,
      entriesPerList: 10_000,
      listChars: 1_000_000,
      checkMs: 3000,
      ...settings,
    },
    wrap(connector),
    { buffers: serverBuffers, clientInfo: { name: 'mcplex', version: '1' }, now: () => performance.now(), random: () => 0.5, events },
  )
  return {
    upstream,
    dropped,
    repaired,
    changes: () => changes,
    async until(isIt) {
      while (!isIt()) await new Promise<void>((resolve) => wake.push(resolve))
    },
  }
}

/** For tests: the `tools/call` of a tool that the client calls `s_x`. */
export function messageOf(params = '{"name":"s_x"}') {
  const message = scanMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`, { depth: 64, tokens: 1000 })
  assert.ok(message.kind === 'message')
  return message
}

/** A call as a legacy client makes it; `session` is the client's. */
export function callOf(more: Partial<Call> = {}): Call {
  const message = more.message ?? messageOf()
  const subject = subjectOf(message, 'tools/call')
  assert.ok(subject !== undefined && subject.kind !== 'refused')
  return {
    method: 'tools/call',
    subject,
    message,
    caller: anonymous,
    session: undefined,
    clientEra: 'legacy',
    capabilities: more.session?.capabilities ?? 0,
    logLevel: undefined,
    resume: undefined,
    cancellation: new Cancellation(),
    timeoutMs: undefined,
    onNotice() {},
    drained: () => undefined,
    onAsk() {},
    ...more,
  }
}

/** A legacy client's session; `sealed` is the server's that was opened with it. */
export function clientOf(key: string, capabilities = 0, sealed?: string): ClientSession {
  return { key, capabilities, upstreamSession: (server) => (server === 'b/s i' ? sealed : undefined) }
}

/** For tests: a scripted server and an upstream that has met it, or found that it can't; both end with the test. */
export async function openMet(
  t: TestContext,
  script: Script = {},
  settings: Partial<UpstreamSettings> = {},
  http: Partial<HttpSettings> = {},
  wrap?: (connector: Connector) => Connector,
  buffers?: Buffers,
) {
  const server = await openScripted(script)
  const made = openUpstream(server.url, settings, http, wrap, buffers)
  t.after(async () => {
    await made.upstream.close(0, true)
    server.close()
  })
  await made.upstream.ensureFresh()
  return { server, ...made }
}

/** For tests: the refusal that an answer must be. */
export function refused(answer: Answer): Refusal {
  assert.ok(answer.kind === 'refused', JSON.stringify(answer))
  return answer
}

/** For tests: starts an event stream with these data. */
export const events = ({ response }: Arrival, ...data: string[]) =>
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(data.map((one) => `data: ${one}\n\n`).join(''))
/** For tests: progress of a call, as a legacy server tells it. */
export const progressOf = ({ id }: Arrival) =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"progress":1}}`

/** A tool that asks for no headers. */
export function called(name: string): Addressed {
  return { name, paramHeaders: [] }
}

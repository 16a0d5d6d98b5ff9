import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { createSealedSessions, createSealer } from '../era/era.ts'
import { anonymous } from '../mcp/mcp.ts'
import { createAudit, createLog, createMetrics } from '../observe/observe.ts'
import { createGateway, type Gateway, socketOf } from './gateway.ts'
import { configOf, type Listen } from './open-for-test.ts'

/** How a call ends at its server, which has done it in each case: with its answer, a broken reply, or an error of the tool's own. */
export type Ending = 'answer' | 'breaks' | 'session error' | 'not found'

/** What the counting servers say to a call. */
export interface Counted {
  readonly call: number
  readonly session: string | undefined
  /** The calls that were done in this session, this one too. */
  readonly count: number
}

/** A session that a counting server has open. */
export interface ServerSession {
  /** JSON text of what its client declared. */
  readonly declared: string
  count: number
}

export interface CountingServer {
  readonly url: string
  /** In which session each call was done: one for each time. */
  readonly done: ReadonlyMap<number, readonly (string | undefined)[]>
  /** Sessions that are open, by id; to lose one is to delete it. */
  readonly sessions: Map<string, ServerSession>
  /** How often its tools were asked for. */
  lists(): number
  close(): void
}

interface RpcRequest {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly capabilities?: object; readonly arguments?: { readonly call: number; readonly ending: Ending } }
}

/** For tests: a server whose one tool `x` counts. A legacy one keeps sessions and refuses those that it does not know by `lost`. */
export async function openCounting(era: 'legacy' | 'modern', lost: 400 | 404): Promise<CountingServer> {
  const done = new Map<number, (string | undefined)[]>()
  const sessions = new Map<string, ServerSession>()
  const tools = { tools: [{ name: 'x', inputSchema: { type: 'object' } }] }
  const modern = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' }
  let opened = 0
  let lists = 0
  const http = createServer(async (request, response) => {
    const text = (await request.setEncoding('utf8').toArray()).join('')
    const { id, method = request.method, params = {} } = JSON.parse(text || '{}') as RpcRequest
    const session = request.headers['mcp-session-id']?.toString()
    const known = sessions.get(session ?? '')
    const reply = (status: number, body = '', headers: Readonly<Record<string, string>> = {}) =>
      void response.writeHead(status, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain', ...headers }).end(body)
    const result = (value: object, headers?: Readonly<Record<string, string>>) =>
      reply(200, JSON.stringify({ jsonrpc: '2.0', id, result: era === 'modern' ? { ...modern, ...value } : value }), headers)
    const error = (status: number, message: string, of: number | null = id ?? null) =>
      reply(status, JSON.stringify({ jsonrpc: '2.0', id: of, error: { code: -32000, message } }))

    if (method === 'tools/list') lists++
    if (method === 'server/discover')
      return era === 'modern' ? result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }) : error(404, 'Method not found')
    if (method === 'initialize') {
      sessions.set(`${++opened}`, { declared: JSON.stringify(params.capabilities), count: 0 })
      const hello = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'counting', version: '1' } }
      return result(hello, { 'mcp-session-id': `${opened}` })
    }
    if (method === 'GET') return reply(405)
    if (era === 'legacy' && known === undefined) return error(lost, 'no valid session', null)
    if (method === 'DELETE') return reply(sessions.delete(session ?? '') ? 204 : 404)
    if (method === 'tools/list') return result(tools)
    if (method !== 'tools/call' || params.arguments === undefined) return reply(202)

    const { call, ending } = params.arguments
    done.set(call, [...(done.get(call) ?? []), session])
    if (known !== undefined) known.count++
    if (ending === 'breaks') return reply(503, 'try again')
    if (ending === 'session error') return error(200, 'that session is full')
    if (ending === 'not found') return error(404, 'no such item')
    const counted: Counted = { call, session, count: known?.count ?? 0 }
    result({ content: [{ type: 'text', text: JSON.stringify(counted) }] })
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    done,
    sessions,
    lists: () => lists,
    close() {
      http.close()
      http.closeAllConnections()
    },
  }
}

/** What a process is configured with. */
export interface Plan {
  /** Ids of session keys, in their order. */
  readonly keys: readonly string[]
  /** Each server's time-out for a request: another one is another server. */
  readonly servers: { readonly legacy: number | undefined; readonly modern: number | undefined }
  /** Addresses behind the legacy server's host. */
  readonly endpoints?: readonly string[]
}

export const routes = ['one', 'two'] as const
export type RouteName = (typeof routes)[number]
export const idleMs = 30 * 60_000
export const absoluteMs = 24 * 60 * 60_000

/** The 32 bytes of the key with an id. */
export function secretOf(keyId: string): Buffer {
  return createHash('sha256').update(keyId).digest()
}

export interface Reply {
  readonly status: number
  readonly session: string | undefined
  readonly body: {
    readonly result?: { readonly isError?: boolean; readonly content: readonly { readonly text: string }[] }
    readonly error?: { readonly code: number }
  }
}

/** A gateway on a socket. */
export interface Process {
  readonly gateway: Gateway
  /** Takes a plan in; resolves when its servers have been heard of. */
  apply(plan: Plan): Promise<void>
  send(route: RouteName, method: 'POST' | 'DELETE', body: object | undefined, headers: Readonly<Record<string, string>>): Promise<Reply>
  close(): Promise<void>
}

export interface TwoProcesses {
  readonly processes: readonly [Process, Process]
  readonly legacy: CountingServer
  readonly modern: CountingServer
  /** Milliseconds since the epoch, for both processes. */
  nowMs: number
  /** What either process has logged as an error. */
  errors(): string
  /** Ends both processes; the servers stay. */
  stop(): Promise<void>
  close(): void
}

/** For tests: two gateways, one after the other, in front of the same counting servers. Nothing in them is random. */
export async function openTwoProcesses(plan: Plan, lost: 400 | 404, listen: Listen): Promise<TwoProcesses> {
  const [legacy, modern] = [await openCounting('legacy', lost), await openCounting('modern', lost)]
  const logged: string[] = []
  const stream = { write: (text: string) => logged.push(text), on() {} }
  const log = createLog({ level: 'error', format: 'json', color: false, stream })
  const agent = new Agent({ keepAlive: true })
  const configFor = ({ keys, servers, endpoints = [] }: Plan) => {
    const serverOf = (http: object, seconds: number | undefined) => seconds && { http, timeouts: { request: `${seconds}s` } }
    const [l, m] = [serverOf({ url: legacy.url, endpoints }, servers.legacy), serverOf({ url: modern.url }, servers.modern)]
    const rule = (name: string) => ({ matches: [{ path: { value: `/${name}` } }], backends: [{ backend: 'all' }] })
    return configOf(
      JSON.stringify({
        listeners: [{ name: 'http', port: 8080 }],
        backends: { all: { servers: { l, m } } },
        routes: routes.map((name) => ({ name, rules: [rule(name)] })),
        sessions: {
          keys: keys.map((id) => ({ id, secret: secretOf(id).toString('base64') })),
          idle: `${idleMs / 60_000}m`,
          absolute: `${absoluteMs / 60_000}m`,
        },
      }),
    )
  }
  const openProcess = async (name: string): Promise<Process> => {
    let draws = 0
    const config = configFor(plan)
    const gateway = createGateway(config, {
      info: { name: 'mcplex', version: '1' },
      log,
      metrics: createMetrics(),
      now: () => performance.now(),
      wallNow: () => both.nowMs,
      random: (bytes) => createHash('shake256', { outputLength: bytes }).update(`${name} ${draws++}`).digest(),
      secret: (reference) => reference,
      openAudit: (settings) => createAudit(settings, { now: Date.now, log, stdout: process.stdout }),
    })
    const [first] = config.listeners
    assert.ok(first)
    const onExchange = (exchange: Parameters<Gateway['serve']>[0]) => void gateway.serve(exchange)
    const listener = await listen({ name: socketOf(first), address: '127.0.0.1', port: 0, onExchange })
    assert.ok(listener.kind === 'open')
    const { port } = listener
    return {
      gateway,
      async apply(next) {
        gateway.apply(configFor(next))
        await gateway.settled()
      },
      async send(route, method, body, headers) {
        const type = body === undefined ? {} : { 'content-type': 'application/json' }
        const sent = request({ agent, port, host: '127.0.0.1', method, path: `/${route}`, headers: { ...type, ...headers } })
        sent.end(body === undefined ? undefined : JSON.stringify(body))
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        const text = (await response.setEncoding('utf8').toArray()).join('')
        const session = response.headers['mcp-session-id']?.toString()
        return { status: response.statusCode ?? 0, session, body: JSON.parse(text || '{}') }
      },
      async close() {
        listener.close()
        await gateway.close(0)
      },
    }
  }
  const both = { nowMs: 1_700_000_000_000 }
  const start = async (name: string) => {
    const one = await openProcess(name)
    await one.gateway.settled()
    return one
  }
  const processes = [await start('first'), await start('second')] as const
  return Object.assign(both, {
    processes,
    legacy,
    modern,
    errors() {
      log.flush()
      return logged.join('')
    },
    async stop() {
      agent.destroy()
      for (const one of processes) await one.close()
    },
    close() {
      legacy.close()
      modern.close()
    },
  })
}

/** Capabilities, and what is declared of them to a server in a client's own session and in a shared one. */
export const cans = {
  nothing: { client: {}, own: '{}', shared: '{}' },
  sampling: { client: { sampling: {} }, own: '{"sampling":{}}', shared: '{"sampling":{}}' },
  roots: { client: { roots: { listChanged: true } }, own: '{"roots":{"listChanged":true}}', shared: '{"roots":{}}' },
} as const
export type Can = keyof typeof cans

/** What can be wrong with a session's id. */
export const spoils = ['route', 'altered', 'cut', 'respelled', 'foreign key', 'other purpose', 'made up'] as const
export type Spoil = (typeof spoils)[number]

export type Tool = 'l_x' | 'm_x'

/** A `tools/call`, in a session or in none. Whole numbers name processes and clients. */
export type Request =
  | { readonly kind: 'session'; readonly at: number; readonly client: number; readonly spoil: Spoil | undefined; readonly tool: Tool }
  | { readonly kind: 'plain'; readonly at: number; readonly era: 'legacy' | 'modern'; readonly can: Can; readonly tool: Tool }

/** A client's session id and what it was made for. */
export interface Token {
  readonly token: string
  readonly route: RouteName
  readonly sealedBy: string
}

/** The element that an index of any size names. */
export function known<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length]
  assert.ok(found !== undefined)
  return found
}

/** An id that must open nowhere. */
function spoiled({ token, route, sealedBy }: Token, spoil: Spoil, nowMs: number): string {
  const sealedElsewhere = (purpose: string, secret: Uint8Array) => {
    const random = (bytes: number) => new Uint8Array(bytes)
    const sealer = createSealer(purpose, [{ id: sealedBy, secret }], random)
    const sessions = createSealedSessions(sealer, { idleMs, absoluteMs }, () => nowMs, random)
    return sessions.start(sessions.draft('2025-11-25', 0), new Map(), { route, caller: anonymous.id })
  }
  const middle = token.length >> 1
  switch (spoil) {
    case 'route':
      return token
    case 'altered':
      return `${token.slice(0, middle)}${token[middle] === 'A' ? 'B' : 'A'}${token.slice(middle + 1)}`
    case 'cut':
      return token.slice(0, -1)
    case 'respelled':
      return `${token}=`
    case 'foreign key':
      return sealedElsewhere('session', secretOf('foreign'))
    case 'other purpose':
      return sealedElsewhere('cursor', secretOf(sealedBy))
    case 'made up':
      return `${sealedBy}.${'A'.repeat(80)}`
  }
}

export function otherThan(route: RouteName): RouteName {
  return route === 'one' ? 'two' : 'one'
}

export async function send(real: TwoProcesses, request: Request, owner: Token | undefined, call: number, ending: Ending): Promise<Reply> {
  const process = known(real.processes, request.at)
  const params = { name: request.tool, arguments: { call, ending } }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  if (request.kind === 'session') {
    assert.ok(owner)
    const token = request.spoil === undefined ? owner.token : spoiled(owner, request.spoil, real.nowMs)
    return process.send(request.spoil === 'route' ? otherThan(owner.route) : owner.route, 'POST', body, { 'mcp-session-id': token })
  }
  if (request.era === 'legacy') return process.send('one', 'POST', body, {})
  const version = '2026-07-28'
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': cans[request.can].client,
  }
  const headers = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': request.tool }
  return process.send('two', 'POST', { ...body, params: { ...params, _meta } }, headers)
}

const patienceMs = 2000

/** Resolves when `isIt` holds; rejects with what is so instead where that never comes. */
export async function until(isIt: () => boolean, instead: () => string): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!isIt()) {
    if (performance.now() > deadline) assert.fail(instead())
    await setImmediate()
  }
}

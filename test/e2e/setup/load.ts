import { Agent, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { atEnd } from './at-end.ts'
import { initialize, legacyPost, type McpRequest, modernPost, sessionRequest, type WireMessage } from './mcp-post.ts'
import { until } from './wait.ts'

/** A TCP connection of a client to whatever is behind the address. */
export interface Connection {
  /** On this side. */
  readonly port: number
}

/** A call that has been sent; it never is again. */
export interface Call {
  readonly client: string
  readonly connection: Connection
  /** As `performance.now()` gives it. */
  readonly startedAt: number
  /** Undefined while it is in flight. */
  endedAt: number | undefined
  /** Why its answer is not the right one. */
  failure: string | undefined
}

/** What a client asks for the nth time, and what must stand in the answer's content. */
export type Task = (n: number) => { readonly tool: string; readonly args: Readonly<Record<string, unknown>>; readonly answer: RegExp }

export interface LoadOptions {
  readonly url: string
  readonly task: Task
  /** How many clients there are of either era; each calls over a connection of its own that it keeps as long as it may. */
  readonly clients: number
  /** How many of these listen too, on connections of their own. */
  readonly listeners: number
  /** How long every second client of an era waits between its calls; the others don't. */
  readonly pauseMs: number
}

/** Clients that call again and again until they are stopped. */
export interface Load {
  /** In the order in which they were sent. */
  readonly calls: readonly Call[]
  /** Those that are open, without the listeners' own. */
  connections(): readonly Connection[]
  /** Connects that failed, so that nothing was sent, by their error: these alone are tried again. */
  readonly refused: ReadonlyMap<string, number>
  /** A stream that has ended is opened again. */
  readonly streams: { readonly opened: number; readonly failures: readonly string[] }
  /** Returns when each client has had the right answers to so many calls that were sent after this. */
  goesOn(calls: number): Promise<void>
  /** Returns when nothing is in flight. */
  stop(): Promise<void>
}

interface Client {
  readonly name: string
  readonly agent: Agent
  /** Undefined where its era has none. */
  readonly session: string | undefined
}

const silenceMs = 30_000

/** Starts them; returns when each has its session and those that listen do. The test's end stops them. */
export async function startLoad(t: TestContext, { url, task, clients, listeners, pauseMs }: LoadOptions): Promise<Load> {
  const calls: Call[] = []
  const connections = new Map<Socket, Connection>()
  const refused = new Map<string, number>()
  const streams = { opened: 0, failures: [] as string[] }
  const stopped = new AbortController()

  async function send(agent: Agent, message: McpRequest, options: SendOptions = {}): Promise<IncomingMessage> {
    for (;;) {
      try {
        return await sendOnce(url, agent, message, options)
      } catch (error) {
        const { syscall, code = '' } = error as NodeJS.ErrnoException
        if (syscall !== 'connect' || stopped.signal.aborted) throw error
        refused.set(code, (refused.get(code) ?? 0) + 1)
        await delay(20)
      }
    }
  }

  async function open(name: string, era: 'legacy' | 'modern'): Promise<Client> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    if (era === 'modern') return { name, agent, session: undefined }
    const reply = await send(agent, initialize({}))
    await messagesOf(reply)
    const session = reply.headers['mcp-session-id']
    if (typeof session !== 'string') throw new Error(`${name} got no session: ${reply.statusCode}`)
    await messagesOf(await send(agent, legacyPost(session, { method: 'notifications/initialized' })))
    return { name, agent, session }
  }

  function connectionOf(socket: Socket): Connection {
    const known = connections.get(socket)
    if (known !== undefined) return known
    const connection: Connection = { port: socket.localPort ?? 0 }
    connections.set(socket, connection)
    socket.once('close', () => connections.delete(socket))
    return connection
  }

  async function call({ name, agent, session }: Client, n: number): Promise<void> {
    const { tool, args, answer } = task(n)
    const params = { name: tool, arguments: args }
    const message =
      session === undefined ? modernPost(n, 'tools/call', params) : legacyPost(session, { id: n, method: 'tools/call', params })
    let sent: Call | undefined
    const onSocket = (socket: Socket) => {
      sent = { client: name, connection: connectionOf(socket), startedAt: performance.now(), endedAt: undefined, failure: undefined }
      calls.push(sent)
    }
    const failure = await send(agent, message, { onSocket })
      .then(async (reply) => {
        const messages = await messagesOf(reply)
        const result = messages.find(({ id }) => id === n)?.result
        const isRight = reply.statusCode === 200 && result?.['isError'] !== true && answer.test(String(JSON.stringify(result?.['content'])))
        return isRight ? undefined : `${reply.statusCode} ${JSON.stringify(messages)}`
      })
      .catch(String)
    if (sent === undefined && stopped.signal.aborted) return
    if (sent === undefined) throw new Error(`${name} could not call: ${failure}`)
    sent.failure = failure
    sent.endedAt = performance.now()
  }

  async function callOn(client: Client, ms: number): Promise<void> {
    for (let n = 1; !stopped.signal.aborted; n++) {
      await call(client, n)
      if (ms > 0) await delay(ms)
    }
  }

  async function listenOn({ name, session }: Client, tried: () => void): Promise<void> {
    const message = session === undefined ? modernPost(0, 'subscriptions/listen', changes) : sessionRequest('GET', session)
    while (!stopped.signal.aborted) {
      try {
        const reply = await send(new Agent(), message, { signal: stopped.signal })
        if (reply.statusCode === 200) streams.opened++
        else streams.failures.push(`${name}: ${reply.statusCode}`)
        tried()
        await messagesOf(reply).catch(() => undefined)
      } catch (error) {
        if (!stopped.signal.aborted) streams.failures.push(`${name}: ${error}`)
        tried()
      }
    }
  }

  const numbers = Array.from({ length: clients }, (_, i) => i + 1)
  const both = await Promise.all(numbers.map((n) => Promise.all([open(`legacy ${n}`, 'legacy'), open(`modern ${n}`, 'modern')])))
  const all = both.flat()
  const listening = all.slice(0, listeners).map((client) => {
    const { promise: tried, resolve } = Promise.withResolvers<void>()
    return { tried, ended: listenOn(client, resolve) }
  })
  await Promise.all(listening.map(({ tried }) => tried))
  const ended = Promise.all(both.flatMap((pair, i) => pair.map((client) => callOn(client, i % 2 === 0 ? 0 : pauseMs))))
  // whoever stops it hears of it
  ended.catch(() => undefined)

  const load: Load = {
    calls,
    connections: () => [...connections.values()],
    refused,
    streams,
    async goesOn(count) {
      const from = calls.length
      const isDone = () => {
        const right = calls.slice(from).filter(({ endedAt, failure }) => endedAt !== undefined && failure === undefined)
        const counts = Map.groupBy(right, ({ client }) => client)
        return all.every(({ name }) => (counts.get(name)?.length ?? 0) >= count)
      }
      const explain = () => told(load)
      await until(`${count} right answers for each client`, () => isDone() || undefined, { timeoutMs: 60_000, explain })
    },
    async stop() {
      stopped.abort()
      await Promise.all([ended, ...listening.map(({ ended }) => ended)])
      for (const { agent } of all) agent.destroy()
    },
  }
  atEnd(t, () => load.stop())
  return load
}

/** Those that have ended otherwise than they should. */
export function failedCalls({ calls }: Load): readonly Call[] {
  return calls.filter(({ failure }) => failure !== undefined)
}

/** What came of it, in one line; `since` leaves out calls that were sent before. */
export function told({ calls, refused, streams }: Load, since = 0): string {
  const ended = calls.filter(({ startedAt, endedAt }) => startedAt >= since && endedAt !== undefined)
  const failed = ended.filter(({ failure }) => failure !== undefined)
  const longestMs = ended.reduce((longest, { startedAt, endedAt = 0 }) => Math.max(longest, endedAt - startedAt), 0)
  const connections = new Set(ended.map(({ connection }) => connection)).size
  const retries = [...refused].map(([code, times]) => `${times} × ${code}`).join(', ')
  return [
    `${ended.length} calls on ${connections} connections, ${failed.length} failed, the longest ${Math.round(longestMs)} ms`,
    `connects tried again: ${retries === '' ? 'none' : retries}`,
    `${streams.opened} event streams opened, ${streams.failures.length} refused`,
  ].join('; ')
}

const changes = { notifications: { toolsListChanged: true } }

interface SendOptions {
  /** Told of the socket just before the request goes out on it. */
  readonly onSocket?: (socket: Socket) => void
  /** Ends the request and its reply. Where it is given they may be silent for as long as they like. */
  readonly signal?: AbortSignal
}

/** The reply's head. */
function sendOnce(
  url: string,
  agent: Agent,
  { method, headers, body = '' }: McpRequest,
  { onSocket = () => undefined, signal }: SendOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {}
    const outgoing = request(url, { agent, method, headers: { ...headers, ...length }, ...(signal === undefined ? {} : { signal }) })
    if (signal === undefined) outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`silent for ${silenceMs} ms`)))
    outgoing.once('response', resolve)
    // what breaks off later, the reply says itself
    outgoing.on('error', reject)
    outgoing.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => onSocket(socket))
      else onSocket(socket)
    })
    outgoing.end(body)
  })
}

/** One JSON body, or the messages of an event stream, after its end. */
async function messagesOf(reply: IncomingMessage): Promise<readonly WireMessage[]> {
  let text = ''
  for await (const part of reply.setEncoding('utf8')) text += part
  if (text.startsWith('{')) return [JSON.parse(text)]
  return [...text.matchAll(/^data: ?(\{.*)$/gm)].map(([, data = '']) => JSON.parse(data))
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { within } from './patience.ts'
import type { StandIns } from './stand-ins.ts'
import { type Block, type ServerPart, splitLines } from './transcript.ts'

export interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
}

/** How long the expected request may come after another. */
const graceMs = 200

interface Received {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly cursor?: string; readonly notifications?: { readonly resourceSubscriptions?: readonly string[] } }
}

const listKinds = {
  tools: { method: 'tools/list', member: 'tools', key: 'name', rest: { description: '', inputSchema: { type: 'object' } } },
  prompts: { method: 'prompts/list', member: 'prompts', key: 'name', rest: {} },
  resources: { method: 'resources/list', member: 'resources', key: 'uri', rest: { name: 'r' } },
  templates: { method: 'resources/templates/list', member: 'resourceTemplates', key: 'uriTemplate', rest: { name: 't' } },
} as const

type ListWord = keyof typeof listKinds

/** A server of a transcript: shakes hands and lists on its own; everything else waits for the transcript. */
export class ScriptedServer {
  readonly kind: string
  readonly arrivals: Arrival[] = []
  /** Without a transcript it answers everything. */
  isPlaying = true
  readonly #offers: Map<string, readonly string[]>
  readonly #streams: { readonly session: string | undefined; readonly response: ServerResponse }[] = []
  readonly #open = new Map<string, ServerResponse>()
  readonly #sessions = new Set<string>()
  #sessionCount = 0
  readonly #waiting = new Set<() => void>()

  constructor({ kind, offers }: ServerPart) {
    this.kind = kind
    this.#offers = new Map(offers)
  }

  /** A list becomes another, and the server says so. */
  change(word: string, items: readonly string[]): void {
    this.#offers.set(word, items)
    const method = `notifications/${word === 'templates' ? 'resources' : word}/list_changed`
    for (const { response } of this.#streams) response.write(`data: {"jsonrpc":"2.0","method":"${method}"}\n\n`)
  }

  forget(session: string): void {
    this.#sessions.delete(session)
  }

  take(arrival: Arrival): void {
    if (!this.isPlaying || this.#isRoutine(arrival)) return this.answerItself(arrival)
    this.arrivals.push(arrival)
    this.#wake()
  }

  /** What every server does, unless it is what the transcripts are about. */
  #isRoutine({ request, body }: Arrival): boolean {
    if (request.method === 'GET') return request.headers['last-event-id'] === undefined
    if (request.method === 'DELETE') return this.kind !== 'stateful'
    const { method, params } = JSON.parse(body) as Received
    switch (method) {
      case 'initialize':
        return this.kind !== 'stateful' || this.#sessionCount === 0
      case 'subscriptions/listen':
        return params?.notifications?.resourceSubscriptions === undefined
      case 'server/discover':
      case 'notifications/initialized':
        return true
      default:
        return Object.values(listKinds).some((kind) => kind.method === method)
    }
  }

  answerItself({ request, response, body }: Arrival): void {
    const json = (status: number, value: unknown, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const session = request.headers['mcp-session-id']?.toString()
    if (request.method === 'GET') {
      if (this.kind === 'seed' || this.kind === 'modern') return void response.writeHead(405).end()
      if (this.#isLost(session)) return void response.writeHead(404).end()
      return this.#stream(response, session, ': open\n\n')
    }
    if (request.method === 'DELETE') {
      if (session !== undefined) this.#sessions.delete(session)
      return void response.writeHead(204).end()
    }
    const { id, method, params } = JSON.parse(body) as Received
    const result = (value: object, headers = {}) => void json(200, { jsonrpc: '2.0', id, result: value }, headers)
    const isModern = this.kind === 'modern'
    if (method === 'server/discover')
      return isModern
        ? result({ resultType: 'complete', supportedVersions: ['2026-07-28'], ...this.#facts() })
        : void json(404, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
    if (method === 'initialize') {
      const protocolVersion = this.kind === 'seed' ? '2024-11-05' : '2025-11-25'
      return result({ protocolVersion, ...this.#facts(), serverInfo: { name: 's', version: '1' } }, this.#newSession())
    }
    if (this.#isLost(session)) return void json(404, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } })
    if (method === 'subscriptions/listen')
      return this.#stream(response, session, 'data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}\n\n')
    if (id === undefined || method === undefined)
      return this.kind === 'seed' ? void json(200, { jsonrpc: '2.0', id: null, result: true }) : void response.writeHead(202).end()
    const word = (Object.keys(listKinds) as ListWord[]).find((one) => listKinds[one].method === method)
    if (word !== undefined)
      return result({
        ...(isModern ? { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' } : {}),
        ...this.#page(word, params?.cursor),
      })
    result({})
  }

  /** Plays a block `--- NAME`: what it gets, and from `=>` what it answers. */
  async answer({ title, lines }: Block, label: string, standIns: StandIns, whoElse: Promise<never>): Promise<string[]> {
    const at = lines.findIndex((line) => line.startsWith('=> '))
    const arrival = await within(Promise.race([this.#next(lines.slice(0, at)), whoElse]), title)
    const { request, response, body } = arrival
    const [, status = '', type = 'application/json'] = lines[at]?.split(' ') ?? []
    const received = [...(request.method === 'POST' ? [] : [request.method ?? '']), ...shownFields(request), standIns.hideIds(body, label)]
    if (status === 'itself') this.answerItself(arrival)
    else if (status === 'close') response.destroy()
    else if (status === 'nothing') this.#open.set(label, response)
    else this.#write(arrival, Number(status), type, splitLines(lines.slice(at + 1)), (text) => standIns.revealIds(text, label))
    if (lines[at]?.endsWith(' and goes on')) {
      if (body.includes('"method":"subscriptions/listen"')) this.#stream(response, undefined, '')
      else this.#open.set(label, response)
    } else if (!/^(itself|nothing|close)$/.test(status)) response.end()
    return [...received.filter((line) => line !== ''), ...lines.slice(at)]
  }

  #write(
    { response }: Arrival,
    status: number,
    type: string,
    { fields, body }: ReturnType<typeof splitLines>,
    reveal: (text: string) => string,
  ): void {
    const isStream = type === 'text/event-stream'
    response.writeHead(status, { ...(body.length > 0 || isStream ? { 'content-type': type } : {}), ...Object.fromEntries(fields) })
    const text = reveal(isStream ? framed(body) : body.join('\n'))
    if (text === '') response.flushHeaders()
    else response.write(text)
  }

  /** The gateway gives up a request that has no whole answer. */
  async isLeft(label: string): Promise<void> {
    const response = this.#open.get(label)
    if (response === undefined) throw new Error(`nothing goes on ${label}`)
    if (!response.destroyed) await within(once(response, 'close'), 'the end of a connection')
    if (response.writableEnded) throw new Error('it was answered')
  }

  /** More of an answer that goes on. */
  goOn({ lines }: Block, label: string, standIns: StandIns, isEnd: boolean): void {
    const response = this.#open.get(label)
    if (response === undefined) throw new Error(`nothing goes on ${label}`)
    response.write(standIns.revealIds(framed(lines), label))
    if (isEnd) response.end()
  }

  /** Messages on the stream that belongs to no request: the newest, of that session where one is named. */
  async send({ title, lines }: Block, session: string | undefined, standIns: StandIns): Promise<void> {
    const newest = () => this.#streams.findLast((one) => session === undefined || one.session === session)
    await within(
      this.#until(() => newest() !== undefined),
      title,
    )
    newest()?.response.write(standIns.revealIds(framed(lines), ''))
  }

  /** What is expected comes before what came earlier: requests that go out together arrive in any order. */
  async #next(lines: readonly string[]): Promise<Arrival> {
    const expected = new Set(lines.map(withoutIds))
    const place = () => this.arrivals.findIndex(({ body }) => expected.has(withoutIds(body)))
    await this.#until(() => this.arrivals.length > 0)
    if (expected.size > 0 && place() < 0) await Promise.race([this.#until(() => place() >= 0), setTimeout(graceMs)])
    const [arrival] = this.arrivals.splice(Math.max(0, place()), 1)
    if (arrival === undefined) throw new Error('nothing came')
    return arrival
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  #isLost(session: string | undefined): boolean {
    return this.kind === 'stateful' && !this.#sessions.has(session ?? '')
  }

  #newSession(): Readonly<Record<string, string>> {
    if (this.kind !== 'stateful') return {}
    const id = `s-${++this.#sessionCount}`
    this.#sessions.add(id)
    return { 'mcp-session-id': id }
  }

  #stream(response: ServerResponse, session: string | undefined, first: string): void {
    const one = { session, response }
    this.#streams.push(one)
    response.on('close', () => this.#streams.splice(this.#streams.indexOf(one), 1))
    if (first !== '') response.writeHead(200, { 'content-type': 'text/event-stream' }).write(first)
    this.#wake()
  }

  #facts(): object {
    const has = (word: string) => (this.#offers.get(word)?.length ?? 0) > 0
    const flags = { listChanged: this.kind !== 'seed' }
    const capabilities = {
      ...(has('tools') ? { tools: flags } : {}),
      ...(has('prompts') ? { prompts: flags } : {}),
      ...(has('resources') || has('templates') ? { resources: flags } : {}),
      ...JSON.parse(this.#offers.get('capabilities')?.[0] ?? '{}'),
    }
    const [instructions] = this.#offers.get('instructions') ?? []
    return { capabilities, ...(instructions === undefined ? {} : { instructions }) }
  }

  #page(word: ListWord, cursor = '0'): object {
    const { member, key, rest } = listKinds[word]
    const all = (this.#offers.get(word) ?? []).map((item) => (item.startsWith('{') ? JSON.parse(item) : { [key]: item, ...rest }))
    const size = Number(this.#offers.get('pages')?.[0] ?? all.length)
    const end = Number(cursor) + size
    return { [member]: all.slice(Number(cursor), end), ...(end < all.length ? { nextCursor: String(end) } : {}) }
  }
}

/** Events: a line of data is the last of each. */
function framed(lines: readonly string[]): string {
  return lines.map((line) => (line.startsWith('data:') ? `${line}\n\n` : `${line}\n`)).join('')
}

/** A body for comparison alone. */
function withoutIds(body: string): string {
  return body.replace(/(?<="(?:id|requestId|progressToken)":)(?:\d+|N(?:\.\w+)?)(?=[,}])/g, '0')
}

function shownFields({ headers }: IncomingMessage): string[] {
  const names = ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'last-event-id', 'cookie', 'authorization']
  const params = Object.keys(headers).filter((name) => name.startsWith('mcp-param-'))
  return [...names, ...params].flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]))
}

export interface ScriptedServers {
  readonly byName: ReadonlyMap<string, ScriptedServer>
  readonly url: string
  close(): void
}

/** All servers of a transcript, on one port. */
export async function openServers(parts: readonly ServerPart[]): Promise<ScriptedServers> {
  const byName = new Map(parts.map((part) => [part.name, new ScriptedServer(part)]))
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const server = byName.get(request.url?.slice(1) ?? '')
    if (server === undefined) response.writeHead(404).end()
    else server.take({ request, response, body })
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  const close = () => {
    http.close()
    http.closeAllConnections()
  }
  return { byName, url: `http://127.0.0.1:${port}`, close }
}

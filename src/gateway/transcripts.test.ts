import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request as openRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseConfig } from '../config/config.ts'
import { openListener } from '../listen/listen.ts'
import { createLog, createMetrics } from '../observe/observe.ts'
import { createGateway, socketOf } from './gateway.ts'

// The transcripts' format is told in transcripts/README.md. UPDATE_TRANSCRIPTS=1 writes what happened in the place of what was expected.
const folder = new URL('transcripts/', import.meta.url)
const isUpdate = process.env['UPDATE_TRANSCRIPTS'] !== undefined

interface Block {
  /** The line that starts it. */
  readonly title: string
  lines: string[]
}

interface Case {
  readonly name: string
  readonly prose: readonly string[]
  readonly blocks: readonly Block[]
}

interface Transcript {
  readonly intro: readonly string[]
  readonly config: string
  readonly servers: readonly { readonly name: string; readonly kind: string; readonly tools: readonly string[] }[]
  readonly cases: readonly Case[]
}

function parse(text: string): Transcript {
  const [intro = '', ...sections] = text.split(/^(?=## )/m)
  const servers = [...intro.matchAll(/^- `(\S+)` is (\S+) with (.*)$/gm)].map(([, name = '', kind = '', tools = '']) => ({
    name,
    kind,
    tools: [...tools.matchAll(/`([^`]+)`/g)].map(([, tool = '']) => tool),
  }))
  const cases = sections.map((section) => {
    const [head = '', ...fences] = section.split(/^```\n/m)
    const [title = '', ...prose] = head.split('\n')
    const blocks: Block[] = []
    for (const line of (fences[0] ?? '').trimEnd().split('\n')) {
      if (/^(>>>|---|<<<|\.\.\.) /.test(line)) blocks.push({ title: line, lines: [] })
      else if (line !== '') blocks.at(-1)?.lines.push(line)
    }
    return { name: title.slice(3), prose, blocks }
  })
  return { intro: intro.trimEnd().split('\n'), config: /```yaml\n([\s\S]*?)```/.exec(intro)?.[1] ?? '', servers, cases }
}

function print({ intro, cases }: Transcript): string {
  const printed = cases.map(({ name, prose, blocks }) => {
    const body = blocks.map(({ title, lines }) => `${[title, ...lines].join('\n')}\n`).join('\n')
    return `## ${name}\n${prose.join('\n')}\`\`\`\n${body}\`\`\`\n`
  })
  return `${[`${intro.join('\n')}\n`, ...printed].join('\n')}`
}

interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly body: string
}

/** One of the scripted servers: shakes hands and lists on its own; everything else waits for the transcript. */
class ScriptedServer {
  tools: readonly string[]
  readonly kind: string
  readonly arrivals: Arrival[] = []
  private readonly streams = new Set<ServerResponse>()
  private wake: (() => void) | undefined

  constructor(kind: string, tools: readonly string[]) {
    this.kind = kind
    this.tools = tools
  }

  get isModern(): boolean {
    return this.kind === 'modern'
  }

  async next(): Promise<Arrival> {
    for (;;) {
      const arrival = this.arrivals.shift()
      if (arrival !== undefined) return arrival
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  change(tools: readonly string[]): void {
    this.tools = tools
    for (const stream of this.streams) stream.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n')
  }

  take(arrival: Arrival): void {
    const { request, response, body } = arrival
    const json = (status: number, value: unknown, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    const stream = (first: string) => {
      this.streams.add(response.writeHead(200, { 'content-type': 'text/event-stream' }))
      response.write(first)
    }
    if (request.method === 'GET') return this.kind === 'legacy' ? stream(': open\n\n') : void response.writeHead(405).end()
    if (request.method === 'DELETE') return void response.writeHead(204).end()
    const { id, method } = JSON.parse(body) as { id?: number; method?: string }
    const result = (value: object) => void json(200, { jsonrpc: '2.0', id, result: value })
    const capabilities = { tools: { listChanged: this.kind !== 'seed' } }
    switch (method) {
      case 'server/discover':
        if (this.isModern) return result({ resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities })
        return void json(404, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
      case 'subscriptions/listen':
        return stream('data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}\n\n')
      case 'initialize': {
        const protocolVersion = this.kind === 'seed' ? '2024-11-05' : '2025-11-25'
        return result({ protocolVersion, capabilities, serverInfo: { name: 's', version: '1' } })
      }
      case 'notifications/initialized':
        return this.kind === 'seed' ? void json(200, { jsonrpc: '2.0', id: null, result: true }) : void response.writeHead(202).end()
      case 'tools/list': {
        const tools = this.tools.map((name) => ({ name, description: '', inputSchema: { type: 'object' } }))
        return result({ ...(this.isModern ? { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' } : {}), tools })
      }
      default:
        this.arrivals.push(arrival)
        this.wake?.()
    }
  }
}

async function openServers(transcript: Transcript) {
  const servers = new Map(transcript.servers.map(({ name, kind, tools }) => [`/${name}`, new ScriptedServer(kind, tools)]))
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const server = servers.get(request.url ?? '')
    if (server === undefined) response.writeHead(404).end()
    else server.take({ request, response, body })
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  const close = () => {
    http.close()
    http.closeAllConnections()
  }
  return { servers, url: `http://127.0.0.1:${port}`, close }
}

async function openGateway(document: string) {
  const { config, problems } = parseConfig(document, { env: {}, readFile: () => '' })
  assert.ok(config, JSON.stringify(problems))
  const [listener] = config.listeners
  assert.ok(listener)
  const gateway = createGateway(config, {
    info: { name: 'mcplex', version: '1' },
    log: createLog({ level: 'error', format: 'json', color: false, stream: process.stderr }),
    metrics: createMetrics(),
    now: () => performance.now(),
    random: randomBytes,
    secret: (reference) => reference,
  })
  await gateway.settled()
  const open = await openListener({
    name: socketOf(listener),
    address: '127.0.0.1',
    port: 0,
    onExchange: (exchange) => void gateway.serve(exchange),
  })
  assert.ok(open.kind === 'open')
  const close = async () => {
    open.close()
    await gateway.close(0)
  }
  return { port: open.port, close }
}

const shownReply = ['content-type', 'mcp-session-id', 'allow', 'retry-after', 'access-control-allow-origin']

/** One client's side of a transcript: what it sends, and the reply as it comes. */
class Client {
  private readonly port: number
  private session = ''
  private reply: Promise<IncomingMessage> | undefined
  private events = ''
  private whole: Promise<string> | undefined

  constructor(port: number) {
    this.port = port
  }

  send({ title, lines }: Block): void {
    const [, method = '', path = ''] = title.split(' ')
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream' }
    if (method === 'POST') headers['content-type'] = 'application/json'
    const { fields, body } = split(lines)
    for (const [name, value] of fields) {
      if (value === '(none)') delete headers[name]
      else headers[name] = value === 'SESSION' ? this.session : value
    }
    const sent = openRequest({ port: this.port, host: '127.0.0.1', method, path, headers })
    this.reply = once(sent, 'response').then(([response]) => response as IncomingMessage)
    this.events = ''
    this.whole = undefined
    sent.end(body)
  }

  /** The body of a reply that ends. */
  private body(): Promise<string> {
    this.whole ??= Promise.resolve(this.reply).then(async (response) => (await response?.setEncoding('utf8').toArray())?.join('') ?? '')
    return this.whole
  }

  async receive(events: number | undefined): Promise<string[]> {
    const response = await this.reply
    assert.ok(response)
    response.setEncoding('utf8')
    const session = response.headers['mcp-session-id']
    if (typeof session === 'string') this.session = session
    const fields = shownReply.flatMap((name) => {
      const value = response.headers[name]
      if (value === undefined || value === 'application/json') return []
      return [`${name}: ${name === 'mcp-session-id' ? 'SESSION' : value}`]
    })
    const body = events !== undefined ? await this.more(events) : (await this.body()).split('\n')
    return [
      `<<< ${response.statusCode}${events === undefined ? '' : ` and ${events} events`}`,
      ...fields,
      ...body.filter((line) => line !== '').map(neutral),
    ]
  }

  /** Rejects when a whole reply comes, for whoever waits for a server to be asked first. */
  async answeredAlone(): Promise<never> {
    const response = await this.reply
    if (response?.headers['content-type'] === 'text/event-stream') return new Promise(() => {})
    throw new Error(`no server was asked: ${await this.body()}`)
  }

  /** The next events of a stream that goes on. */
  async more(events: number): Promise<string[]> {
    const response = await this.reply
    assert.ok(response)
    const complete = () => [...this.events.matchAll(/[\s\S]*?\n\n/g)].map(([event]) => event).filter((event) => !event.startsWith(':'))
    while (complete().length < events) {
      const chunk: string | null = response.read()
      if (chunk === null) await once(response, 'readable')
      else this.events += chunk
    }
    const taken = complete()
    this.events = taken.slice(events).join('')
    return taken.slice(0, events).map((event) => event.trimEnd())
  }

  async gone(): Promise<void> {
    ;(await this.reply)?.destroy()
  }
}

function split(lines: readonly string[]): { fields: (readonly [string, string])[]; body: string } {
  const isField = (line: string) => /^[a-z-]+: /.test(line) && !line.startsWith('data: ')
  const fields = lines.filter(isField).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)
  return { fields, body: lines.filter((line) => !isField(line)).join('\n') }
}

/** Takes out what is another in every run. */
function neutral(text: string): string {
  return text.replace(/("(?:mcplex.dev\/)?requestId":)"[^"]+"/g, '$1"REQUEST"').replace(/("ttlMs":)\d\d+/, '$1TTL')
}

/** A server's part: what it must receive, a line `=> STATUS TYPE`, and its answer. */
async function serve(block: Block, server: ScriptedServer, client: Client): Promise<string[]> {
  const { request, response, body } = await Promise.race([server.next(), client.answeredAlone()])
  const at = block.lines.findIndex((line) => line.startsWith('=> '))
  assert.ok(at >= 0, `${block.title}: no answer`)
  const [, status = '', type = 'application/json'] = block.lines[at]?.split(' ') ?? []
  const answer = block.lines.slice(at + 1)
  const received = ['mcp-protocol-version', 'mcp-method', 'mcp-name', 'mcp-session-id', 'cookie', 'authorization'].flatMap((name) => {
    const value = request.headers[name]
    return value === undefined ? [] : [`${name}: ${value}`]
  })
  const id = /^\{"jsonrpc":"2.0","id":(\d+)/.exec(body)?.[1] ?? ''
  const text = answer.map((line) => line.replace(/"id":N\b/, `"id":${id}`)).join(type === 'text/event-stream' ? '\n\n' : '\n')
  if (status === 'close') response.destroy()
  else if (status !== 'nothing')
    response.writeHead(Number(status), { 'content-type': type }).end(type === 'text/event-stream' ? `${text}\n\n` : text)
  const own = body.replace(/^(\{"jsonrpc":"2.0","id":)\d+/, '$1N').replace(/"requestId":\d+/, '"requestId":N')
  return [...received, own, ...block.lines.slice(at)]
}

async function play(one: Case, client: Client, servers: ReadonlyMap<string, ScriptedServer>): Promise<Block[]> {
  const happened: Block[] = []
  for (const block of one.blocks) {
    const { title, lines } = block
    const events = / and (\d+) events$/.exec(title)?.[1]
    if (title.startsWith('>>> ')) {
      client.send(block)
      happened.push(block)
    } else if (title.startsWith('--- ')) {
      const server = servers.get(`/${title.slice(4)}`)
      assert.ok(server, title)
      happened.push({ title, lines: await serve(block, server, client) })
    } else if (title.startsWith('<<< then ')) {
      happened.push({ title, lines: (await client.more(Number(/\d+/.exec(title)?.[0]))).map(neutral) })
    } else if (title.startsWith('<<< ')) {
      const [status = '', ...got] = await client.receive(events === undefined ? undefined : Number(events))
      happened.push({ title: status, lines: got })
    } else if (title === '... the client goes away') {
      await client.gone()
      happened.push({ title, lines })
    } else {
      const [, name = '', tools = ''] = /^\.\.\. (\S+) now has (.*)$/.exec(title) ?? []
      servers.get(`/${name}`)?.change(tools.split(', '))
      happened.push({ title, lines })
    }
  }
  return happened
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')) {
  test(`transcripts/${file}`, async (t) => {
    const transcript = parse(readFileSync(new URL(file, folder), 'utf8'))
    const upstreams = await openServers(transcript)
    const gateway = await openGateway(transcript.config.replaceAll('http://upstream', upstreams.url))
    const client = new Client(gateway.port)
    const cases = [...transcript.cases]
    for (const [i, one] of transcript.cases.entries()) {
      await t.test(one.name, async () => {
        const happened = await play(one, client, upstreams.servers)
        cases[i] = { ...one, blocks: happened }
        if (!isUpdate) assert.deepEqual(happened, one.blocks)
        for (const [name, server] of upstreams.servers)
          assert.deepEqual(
            server.arrivals.map((arrival) => arrival.body),
            [],
            `unexpected at ${name}`,
          )
      })
    }
    await gateway.close()
    upstreams.close()
    if (isUpdate) writeFileSync(new URL(file, folder), print({ ...transcript, cases }))
  })
}

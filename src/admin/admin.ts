import { timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { redactConfig } from '../config/config.ts'
import type { Gateway, Question } from '../gateway/gateway.ts'
import { readObject } from '../mcp/mcp.ts'
import type { Metrics } from '../observe/observe.ts'

export interface AdminOptions {
  readonly host: string
  readonly port: number
  /** The bearer token that every path asks for, but `/healthz` and `/readyz`; undefined: none is asked for. */
  readonly token: string | undefined
  /** Whether only `/healthz` and `/readyz` are served, which never ask for a token. */
  readonly isHealthOnly: boolean
  readonly gateway: Gateway
  readonly metrics: Metrics
  readonly listeners: () => readonly { readonly name: string; readonly address: string; readonly port: number }[]
  /** Tells which document of Kubernetes is in force; absent, or gives undefined, where the configuration comes from a file. */
  readonly source?: (() => DocumentSource | undefined) | undefined
}

/** The document of Kubernetes that is in force: its digest (`digestOfDocument`), and the version of mcplex that wrote it. */
export interface DocumentSource {
  readonly digest: string
  readonly version: string
  /** A newer document that could not be put in force, and why. */
  readonly refused?: { readonly digest: string; readonly version: string; readonly text: string }
  /** Whether the document comes from the pod's copy of the Secret on disk, and not from the Secret itself. */
  readonly isLastGood: boolean
}

export interface OpenAdmin {
  readonly kind: 'open'
  readonly port: number
  close(): void
}

/** The read-only view of the live snapshot for operators, on a listener of its own (docs/operation.md, Admin). */
export function openAdmin(options: AdminOptions): Promise<OpenAdmin | { readonly kind: 'port-in-use' | 'failed'; readonly text: string }> {
  const { gateway, metrics, token } = options
  const server: Server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    const send = (status: number, body: unknown, type = 'application/json') => {
      const text = typeof body === 'string' ? body : `${JSON.stringify(body, undefined, 2)}\n`
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).end(text)
    }
    const url = URL.parse(request.url ?? '/', 'http://admin')
    const path = url?.pathname ?? ''
    const repeated = repeatedField(request.rawHeaders)
    if (repeated !== undefined) return send(400, { error: `header ${repeated} is repeated` })
    if (!isOwnHost(request.headers.host)) return send(403, { error: 'this name is not served here' })
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, { error: 'GET only' })
    if (path === '/healthz') return send(200, { status: 'ok' })
    if (path === '/readyz') {
      const { isReady, reasons, degraded } = gateway.readiness()
      return send(isReady ? 200 : 503, { status: isReady ? (degraded.length === 0 ? 'ok' : 'degraded') : 'unready', reasons, degraded })
    }
    if (options.isHealthOnly) return send(404, { error: 'only /healthz and /readyz are served here' })
    if (token !== undefined && !hasToken(request.headers.authorization, token)) {
      response.setHeader('www-authenticate', 'Bearer')
      return send(401, { error: 'the admin token is missing or wrong' })
    }
    switch (path) {
      case '/metrics':
        metrics.text().then(
          (text) => send(200, text, metrics.contentType),
          () => send(500, { error: 'metrics failed' }),
        )
        return undefined
      case '/config':
        return send(200, redactConfig(gateway.config()))
      case '/status':
        return send(200, { ...statusOf(gateway), listeners: options.listeners(), source: options.source?.() })
      case '/why': {
        // The answer tells what every caller may do, so it is given only to those who hold the token.
        if (token === undefined) return send(403, { error: 'set `admin.token`: this tells what every caller may do' })
        const question = questionOf(url?.searchParams ?? new URLSearchParams())
        if (typeof question === 'string') return send(400, { error: question })
        if (!Object.hasOwn(gateway.config().agents, question.agent)) return send(404, { error: noAgent(question.agent) })
        gateway.explain(question).then(
          (explanation) => send(200, explanation),
          () => send(500, { error: 'no explanation could be made' }),
        )
        return undefined
      }
      case '/tools': {
        const agent = url?.searchParams.get('agent') ?? ''
        const tools = gateway.toolsOf(agent)
        return tools === undefined ? send(404, { error: noAgent(agent) }) : send(200, `${tools}\n`)
      }
      default:
        return send(404, { error: 'not found', paths: ['/healthz', '/readyz', '/metrics', '/config', '/status', '/tools?agent='] })
    }
  })
  // The host name is checked only where no token is wanted: it keeps web pages in a browser on the same machine out (DNS rebinding). A
  // token keeps out everybody else too.
  function isOwnHost(host: string | undefined): boolean {
    return token !== undefined || options.isHealthOnly || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host ?? '')
  }
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const place = `${options.host}:${options.port}`
      if (error.code === 'EADDRINUSE') resolve({ kind: 'port-in-use', text: `${place} is in use` })
      else resolve({ kind: 'failed', text: `${place} can't be opened: ${error.code}` })
    })
    server.listen(options.port, options.host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : options.port
      resolve({
        kind: 'open',
        port,
        close() {
          server.close()
          server.closeAllConnections()
        },
      })
    })
  })
}

function noAgent(name: string): string {
  return `there is no agent ${JSON.stringify(name)}`
}

/**
 * A header that must not be repeated, and is; undefined if none is. A proxy in front could read the first value, and this server the
 * second.
 */
function repeatedField(rawHeaders: readonly string[]): string | undefined {
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  return ['host', 'authorization'].find((name) => names.indexOf(name) !== names.lastIndexOf(name))
}

/** The gateway's status with its times in RFC 3339. */
function statusOf(gateway: Gateway) {
  const { servers, ...rest } = gateway.status()
  return { ...rest, servers: servers.map((server) => ({ ...server, since: new Date(server.since).toISOString() })) }
}

/** Reads the question of `/why?agent=…&tool=…[&claims={…}|&apiKey=ID][&arguments={…}]`, or says what is wrong with it. */
function questionOf(params: URLSearchParams): Question | string {
  const [agent, tool] = [params.get('agent'), params.get('tool')]
  if (agent === null || tool === null) return 'write /why?agent=NAME&tool=NAME'
  const json = { claims: params.get('claims'), args: params.get('arguments') }
  for (const [name, text] of Object.entries(json))
    if (text !== null && readObject(text) === undefined) return `${name === 'args' ? 'arguments' : name} is not a JSON object`
  const apiKey = params.get('apiKey')
  return {
    agent,
    tool,
    ...(json.claims === null ? {} : { claims: json.claims }),
    ...(json.args === null ? {} : { args: json.args }),
    ...(apiKey === null ? {} : { apiKey }),
  }
}

function hasToken(header: string | undefined, token: string): boolean {
  // The scheme's letters may be of any case (RFC 9110, section 11.1).
  const said = /^bearer (.*)$/i.exec(header ?? '')?.[1]
  if (said === undefined) return false
  const [sent, wanted] = [Buffer.from(said), Buffer.from(token)]
  return sent.length === wanted.length && timingSafeEqual(sent, wanted)
}

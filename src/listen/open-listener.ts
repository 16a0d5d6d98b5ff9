import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatAddress } from '../config/config.ts'
import { Buffers, type Refusal, refusalReply, refuse } from '../mcp/mcp.ts'
import { Connection, type OpenExchange, plainAddress } from './connection.ts'
import { plainFront, tlsFront } from './front.ts'
import type { HttpEventStream } from './http-event-stream.ts'
import { type Edge, HttpExchange } from './http-exchange.ts'
import { defaultEdgeLimits } from './limits.ts'
import type { ListenerOptions, ListenFailure, OpenListener } from './listener.ts'
import { type RequestHead, readHead } from './read-head.ts'
import { draining, misdirected, overloaded, type ParseError, pipelineDepth, rawReply, refusalOf, tooManyPipelined } from './refusals.ts'
import { isMisdirected } from './tls-plan.ts'

/** Most bytes of replies that wait for slow clients on all connections; beyond it new requests get 503. */
const maxPendingBytes = 256 * 1024 * 1024

/**
 * Opens an HTTP/1.1 listener, over TLS if there is a plan for it. It refuses requests that are ambiguous, too large or too slow, and makes
 * an Exchange of every other one.
 */
export async function openListener(options: ListenerOptions): Promise<OpenListener | ListenFailure> {
  const { name, onExchange, onEdgeRefusal, onDrain, limits = defaultEdgeLimits, keepAliveMs = 15_000, buffers = new Buffers() } = options
  const clock = options.clock ?? (() => performance.now())
  const idPrefix = options.idPrefix ?? `${randomBytes(6).toString('hex')}-`
  let lastId = 0
  const nextId = () => `${idPrefix}${++lastId}`

  const connections = new Map<Socket, Connection>() // at most limits.connections
  const streams = new Set<HttpEventStream>() // at most pipelineDepth a connection
  let onAllClosed: (() => void) | undefined
  const edge: Edge = { limits, streams, clock, nextId, isDraining: false, isLettingGo: false, pendingBytes: 0, buffers }

  const settings = {
    insecureHTTPParser: false,
    joinDuplicateHeaders: true,
    requireHostHeader: false, // readHead refuses it, with a body that says why
    highWaterMark: 64 * 1024,
    maxHeaderSize: options.headRoomBytes ?? limits.headerBytes,
    headersTimeout: limits.headTimeoutMs,
    requestTimeout: limits.headTimeoutMs + limits.bodyTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(limits.headTimeoutMs / 4)),
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  }
  const isAllClosed = () => connections.size === 0 && front.pending === 0
  const closed = () => {
    if (isAllClosed()) onAllClosed?.()
  }
  const secure = options.tls === undefined ? undefined : await tlsFront(settings, options.tls, limits.headTimeoutMs, closed)
  const front = secure ?? plainFront(settings)
  const { server } = front
  server.maxHeadersCount = 0 // a limit here would drop headers silently; readHead counts them, and maxHeaderSize bounds them
  server.maxConnections = limits.connections

  function refuseRequest(request: IncomingMessage, response: ServerResponse, connection: Connection, refusal: Refusal): void {
    const requestId = nextId()
    const { status, headers, body } = refusalReply(refusal, undefined, requestId, 'legacy')
    connection.closeAfter(request)
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' })
    response.end(body, 'utf8')
    onEdgeRefusal?.({ listener: name, requestId, reason: refusal.reason, remote: connection.remote, status })
  }

  function admit(request: IncomingMessage, connection: Connection): RequestHead | Refusal {
    if (edge.isDraining) return draining()
    if (connection.exchanges.size >= pipelineDepth) return tooManyPipelined()
    if (edge.pendingBytes > maxPendingBytes) return overloaded()
    const { tls } = connection
    const head = readHead(request, name, connection.remote, limits, tls?.peer)
    if (secure !== undefined && tls !== undefined && head.kind === 'head' && isMisdirected(secure.plan, tls, head.host))
      return misdirected()
    return head
  }

  function onRequest(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const connection = connections.get(request.socket)
    if (connection === undefined || connection.isClosing) {
      request.resume()
      return
    }
    const head = admit(request, connection)
    if (head.kind === 'refused') refuseRequest(request, response, connection, head)
    else onExchange(new HttpExchange(edge, connection, request, response, head, awaitsContinue))
  }

  /** Answers bytes that never became a request, unless the answer could be taken for the reply to another request. */
  function refuseBytes(connection: Connection, refusal: Refusal): void {
    const requestId = nextId()
    const isSilent = connection.exchanges.size > 0 || connection.unread?.complete === false
    const reply = refusalReply(refusal, undefined, requestId, 'legacy')
    if (isSilent) connection.socket.destroy()
    else {
      connection.closeAfter(undefined)
      connection.socket.write(rawReply(reply))
      connection.socket.destroySoon()
    }
    onEdgeRefusal?.({ listener: name, requestId, reason: refusal.reason, remote: connection.remote, status: isSilent ? 0 : reply.status })
  }

  /**
   * Reports a failed handshake: bytes that are no TLS, a client that does not accept our certificate, or one that is too slow. There is no
   * reply.
   */
  function refuseHandshake(error: ParseError, socket: Socket): void {
    const reason = error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'head-timeout' : 'bad-request'
    onEdgeRefusal?.({ listener: name, requestId: nextId(), reason, remote: plainAddress(socket.remoteAddress), status: 0 })
  }

  front.onSocket((socket, tls) => {
    const connection = new Connection(socket, tls)
    connections.set(socket, connection)
    socket.on('close', () => {
      connections.delete(socket)
      for (const exchange of connection.exchanges.all()) exchange.closed()
      closed()
    })
  })
  server.on('request', (request, response) => onRequest(request, response, false))
  server.on('checkContinue', (request, response) => onRequest(request, response, true))
  server.on('checkExpectation', (request, response) => onRequest(request, response, false))
  server.on('connect', (_request, socket) => {
    const connection = connections.get(socket as Socket)
    if (connection === undefined || connection.isClosing) socket.destroy()
    else refuseBytes(connection, refuse('not-implemented', 'CONNECT is not supported'))
  })
  server.on('clientError', (error: ParseError, duplex) => {
    const socket = duplex as Socket
    const connection = connections.get(socket)
    const isGone = error.code === 'ECONNRESET' || error.code === 'EPIPE'
    if (connection === undefined && !isGone) refuseHandshake(error, socket)
    if (connection === undefined || !socket.writable || isGone) {
      if (!connection?.isClosing) socket.destroy()
      return
    }
    if (connection.isClosing) return
    let reading: OpenExchange | undefined
    for (const exchange of connection.exchanges.all()) if (exchange.isReading) reading = exchange
    const refusal = refusalOf(error, reading !== undefined, limits)
    if (reading !== undefined) reading.failBody(refusal)
    else refuseBytes(connection, refusal)
  })
  server.on('drop', (data) =>
    onEdgeRefusal?.({ listener: name, requestId: nextId(), reason: 'overloaded', remote: plainAddress(data?.remoteAddress), status: 0 }),
  )

  const keepAlive = setInterval(() => tickAll(streams), keepAliveMs / 2).unref()

  const cut = () => {
    front.cutPending()
    for (const socket of connections.keys()) socket.destroy()
  }
  server.once('close', () => {
    clearInterval(keepAlive)
    server.close() // ends Node's own timer
  })
  // Not http.Server's own close, which destroys connections whose last reply is still being sent.
  const stopAccepting = () => NetServer.prototype.close.call(server)
  let drained: Promise<void> | undefined

  function drain(graceMs: number): Promise<void> {
    drained ??= new Promise((resolve) => {
      edge.isDraining = true
      onDrain?.()
      stopAccepting()
      front.cutPending()
      for (const connection of connections.values())
        if (connection.exchanges.size === 0 && !connection.isClosing) connection.socket.destroy()
      const timer = setTimeout(cut, graceMs)
      onAllClosed = () => {
        clearTimeout(timer)
        resolve()
      }
      closed()
    })
    return drained
  }

  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => {
      clearInterval(keepAlive)
      const place = formatAddress({ host: options.address, port: options.port })
      if (error.code === 'EADDRINUSE') resolve({ kind: 'port-in-use', text: `${place} is in use` })
      else resolve({ kind: 'failed', text: `${place} can't be opened: ${error.code}` })
    }
    server.once('error', onError)
    server.listen(options.port, options.address, () => {
      server.off('error', onError)
      server.on('error', () => {}) // accepting failed, such as for want of file descriptors; the next connection may succeed
      const bound = server.address()
      resolve({
        kind: 'open',
        address: options.address,
        port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
        setConnections(max) {
          server.maxConnections = max
        },
        setTls(next) {
          if (secure === undefined) return
          const isTrustSame = secure.plan.trust === next.trust
          secure.setPlan(next)
          if (isTrustSame) return
          // A handshake in progress would be checked against the old authorities and counted as checked against the new ones.
          front.cutPending()
          for (const connection of connections.values()) {
            const { tls } = connection
            if (tls !== undefined && next.siteFor(tls.serverName).trusts !== tls.trusts) connection.retire()
          }
        },
        get connections() {
          return connections.size + front.pending
        },
        letGo() {
          edge.isLettingGo = true
        },
        drain,
        close() {
          stopAccepting()
          cut()
        },
      })
    })
  })
}

/** Ticks in slices, so that ten thousand comments do not block everything else. */
async function tickAll(streams: ReadonlySet<HttpEventStream>): Promise<void> {
  let ticked = 0
  for (const stream of streams) {
    stream.tick()
    ticked += 1
    if (ticked % 500 === 0) await nextTurn()
  }
}

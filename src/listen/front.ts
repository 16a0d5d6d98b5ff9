import { createServer, type Server, type ServerOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TlsPeer } from '../mcp/mcp.ts'
import { readClientCertificate } from './client-certificate.ts'
import type { Handshake, TlsPlan } from './tls-plan.ts'

/** What the TLS handshake of a connection established. */
export interface ConnectionTls extends Handshake {
  readonly peer: TlsPeer
}

/** An HTTP server that is not listening yet, and the sockets that carry its requests. */
export interface Front {
  readonly server: Server
  /** Calls back for each connection that is ready for requests. */
  onSocket(listener: (socket: Socket, tls: ConnectionTls | undefined) => void): void
  /** How many TLS handshakes are in progress. */
  readonly pending: number
  cutPending(): void
}

export function plainFront(options: ServerOptions): Front {
  const server = createServer(options)
  return {
    server,
    onSocket: (listener) => server.on('connection', (socket) => listener(socket, undefined)),
    pending: 0,
    cutPending() {},
  }
}

export interface TlsFront extends Front {
  readonly plan: TlsPlan
  /** Uses this plan for new handshakes. */
  setPlan(plan: TlsPlan): void
}

/**
 * HTTP/1.1 over TLS. A handshake that fails or takes longer than `handshakeMs` is a `clientError`.
 * @param onPendingGone called when no handshake is in progress any more
 */
export async function tlsFront(options: ServerOptions, first: TlsPlan, handshakeMs: number, onPendingGone: () => void): Promise<TlsFront> {
  const https = await import('node:https')
  let plan = first
  const pending = new Map<string, Socket>() // by the peer's address; at most the listener's connections
  const server = https.createServer({
    ...options,
    ...first.base,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: handshakeMs,
    requestCert: first.asksClients,
    // A certificate that is not accepted is answered with a refusal that says why, instead of closing the connection.
    rejectUnauthorized: false,
    SNICallback: (name, done) => done(null, plan.siteFor(name.toLowerCase()).contextFor(name)),
  })
  const gone = (key: string, socket?: Socket) => {
    if (socket !== undefined && pending.get(key) !== socket) return
    if (pending.delete(key) && pending.size === 0) onPendingGone()
  }
  server.on('connection', (socket) => {
    const key = peerOf(socket)
    pending.set(key, socket)
    socket.on('close', () => gone(key, socket))
  })
  return {
    server,
    get plan() {
      return plan
    },
    setPlan(next) {
      plan = next
      server.setSecureContext(next.base)
    },
    onSocket(listener) {
      server.on('secureConnection', (socket) => {
        listener(socket, tlsOf(socket, plan))
        gone(peerOf(socket))
      })
    },
    get pending() {
      return pending.size
    },
    cutPending() {
      for (const socket of pending.values()) socket.destroy()
    },
  }
}

/** Identifies a connection by its addresses, since Node offers no way from a TLS socket to the socket below it. */
function peerOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}

function tlsOf(socket: TLSSocket, plan: TlsPlan): ConnectionTls {
  const serverName = typeof socket.servername === 'string' ? socket.servername.toLowerCase() : undefined
  const { trusts } = plan.siteFor(serverName)
  return { serverName, trusts, peer: { certificate: trusts === undefined ? undefined : certificateOf(socket) } }
}

function certificateOf(socket: TLSSocket): TlsPeer['certificate'] {
  const shown = socket.getPeerX509Certificate()
  if (shown === undefined) return undefined
  return (socket.authorized ? readClientCertificate(shown) : undefined) ?? 'refused'
}

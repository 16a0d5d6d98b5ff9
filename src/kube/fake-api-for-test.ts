import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type ApiClient, createApiClient } from './api-client.ts'
import type { Identity } from './identity.ts'

/** For tests: one request that the fake API server got. */
export interface Arrival {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly response: ServerResponse
  /** A whole reply of JSON. */
  reply(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void
  /** Sends events of a watch, and before the first one the headers of the reply. */
  send(...events: readonly unknown[]): void
  /** Sends bytes as they are, and before the first ones the headers of the reply. */
  write(bytes: string | Uint8Array): void
  /** Breaks the connection. */
  reset(): void
}

export type Step = (arrival: Arrival) => void

export interface FakeApi {
  readonly client: ApiClient
  readonly identity: Identity
  readonly arrivals: readonly Arrival[]
  /** Resolves with the n-th request, counted from 1, as soon as it is there. */
  arrival(n: number): Promise<Arrival>
  /** Connections that are open. */
  connections(): number
}

/**
 * For tests: an API server over plain HTTP. The first request is answered by the first step and so on; requests after the last step get no
 * answer.
 */
export async function openFakeApi(
  t: TestContext,
  steps: readonly Step[],
  identity: Partial<Identity> & { refresh?(): void } = {},
): Promise<FakeApi> {
  const arrivals: Arrival[] = []
  const waiting: { readonly n: number; resolve(arrival: Arrival): void }[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const url = new URL(request.url ?? '/', 'http://api')
    const head = () => response.headersSent || response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const arrival: Arrival = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body,
      response,
      reply: (status, value, headers = {}) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
      },
      send(...events) {
        head()
        for (const event of events) response.write(`${JSON.stringify(event)}\n`)
      },
      write(bytes) {
        head()
        response.write(bytes)
      },
      reset: () => void request.socket.destroy(),
    }
    arrivals.push(arrival)
    steps[arrivals.length - 1]?.(arrival)
    for (const { n, resolve } of waiting) if (n === arrivals.length) resolve(arrival)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const whole = { server: `http://127.0.0.1:${port}`, tls: {}, namespace: 'default', headers: async () => ({}), ...identity }
  const client = createApiClient(whole, { userAgent: 'test' })
  t.after(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    client,
    identity: whole,
    arrivals,
    arrival: (n) => {
      const known = arrivals[n - 1]
      return known === undefined ? new Promise((resolve) => waiting.push({ n, resolve })) : Promise.resolve(known)
    },
    connections: () => sockets.size,
  }
}

/** For tests: an object as an API server has it. */
export function object(name: string, revision: number, more: object = {}) {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { namespace: 'ns', name, resourceVersion: String(revision) }, ...more }
}

/** For tests: an event of a watch. */
export function event(type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string, revision: number, more: object = {}) {
  return { type, object: object(name, revision, more) }
}

/** For tests: a bookmark of a watch: the one that ends the initial events, or a later one. */
export function bookmark(revision: number, endsInitialEvents = false) {
  const annotations = endsInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  return { type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'Thing', metadata: { resourceVersion: String(revision), ...annotations } } }
}

/** For tests: the `Status` object that an API server sends with a refusal. */
export function status(code: number, message: string, more: object = {}) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message, ...more }
}

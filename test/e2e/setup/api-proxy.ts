import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as open } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'
import type { Cluster } from './cluster.ts'

/** A request that went through. */
export interface PassedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
}

/** Between one client and an API server: plain HTTP in front, so that a test sees what is asked. A server that is away breaks the connection. */
export interface ApiProxy {
  readonly origin: string
  /** In the order in which they came; as many as a test causes. */
  readonly passed: readonly PassedRequest[]
  /** Keeps the answer to the next such request until it is let go. */
  holdNext(is: (request: PassedRequest) => boolean): Held
}

export interface Held {
  /** Whether the request has come. */
  isHolding(): boolean
  letGo(): void
}

/** Starts one; the test's end closes it. */
export async function apiProxy(t: TestContext, cluster: Cluster): Promise<ApiProxy> {
  const passed: PassedRequest[] = []
  /** As many as a test asks for. */
  const holds = new Set<{ is: (request: PassedRequest) => boolean; begin: () => Promise<void> }>()
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', cluster.server)
    const request = { method: incoming.method ?? '', path: url.pathname, query: url.searchParams }
    passed.push(request)
    const hold = [...holds].find(({ is }) => is(request))
    if (hold !== undefined) holds.delete(hold)
    pass(incoming, outgoing, url, cluster.ca, hold?.begin() ?? Promise.resolve())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    holdNext(is) {
      let isHolding = false
      const { promise, resolve } = Promise.withResolvers<void>()
      const begin = () => {
        isHolding = true
        return promise
      }
      holds.add({ is, begin })
      return { isHolding: () => isHolding, letGo: resolve }
    },
  }
}

/** An end that breaks on one side breaks on the other. */
function pass(incoming: IncomingMessage, outgoing: ServerResponse, url: URL, ca: string, wait: Promise<void>): void {
  const request = open(
    url,
    { method: incoming.method ?? 'GET', headers: { ...incoming.headers, host: url.host }, ca, agent: false },
    (reply) => {
      reply.once('error', () => outgoing.destroy())
      void wait.then(() => {
        outgoing.writeHead(reply.statusCode ?? 500, reply.headers)
        outgoing.flushHeaders()
        reply.pipe(outgoing)
      })
    },
  )
  request.once('error', () => outgoing.destroy())
  outgoing.once('close', () => request.destroy())
  incoming.pipe(request)
}

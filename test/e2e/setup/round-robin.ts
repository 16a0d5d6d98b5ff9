import { createServer, type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'

/** A request that went through. */
export interface Passed {
  /** The index of the target that got it. */
  readonly to: number
  readonly http: string
  /** The method of its JSON-RPC message, `response` for a response, undefined where it has no body. */
  readonly method: string | undefined
}

/** A proxy that gives every request, not every connection, to the next of its targets in turn; bodies and streams pass as they come. */
export interface RoundRobin {
  readonly origin: string
  readonly url: string
  /** In the order in which they came; as many as a test makes. */
  readonly passed: readonly Passed[]
  /** The next request goes to this target, those after it in turn. */
  next(target: number): void
  /** From now on only these targets are in turn. */
  only(...targets: readonly number[]): void
}

/** Starts a round-robin over these origins on a free port; the test's end closes it. */
export async function roundRobin(t: TestContext, origins: readonly string[]): Promise<RoundRobin> {
  const passed: { to: number; http: string; method: string | undefined }[] = []
  let turn: readonly number[] = [...origins.keys()]
  let at = 0
  const server = createServer((request, response) => {
    const to = turn[at++ % turn.length] ?? 0
    const entry = { to, http: request.method ?? '', method: undefined as string | undefined }
    passed.push(entry)
    pass(request, response, new URL(request.url ?? '/', origins[to]), (method) => {
      entry.method = method
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    url: `${origin}/mcp`,
    passed,
    next(target) {
      at = turn.indexOf(target)
    },
    only(...targets) {
      turn = targets
      at = 0
    },
  }
}

/** An end that breaks on one side breaks on the other; a target that does not answer at all is a 502. */
function pass(request: IncomingMessage, response: ServerResponse, to: URL, onMethod: (method: string) => void): void {
  const onward = open(to, { method: request.method ?? 'GET', headers: request.headers, agent: false }, (reply) => {
    response.writeHead(reply.statusCode ?? 502, reply.headers)
    response.flushHeaders()
    reply.pipe(response)
    reply.once('close', () => {
      if (!reply.complete) response.destroy()
    })
  })
  onward.once('error', () => {
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
  response.once('close', () => onward.destroy())
  let text = ''
  request.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  request.once('end', () => {
    if (text !== '') onMethod(/"method":"([^"]+)"/.exec(text)?.[1] ?? 'response')
  })
  request.pipe(onward)
}

import { type IncomingMessage, request as requestPlainly } from 'node:http'
import { request as requestSafely } from 'node:https'
import type { Said } from './canaries.ts'
import { wire } from './wire.ts'

/** What one request says, without what HTTP needs anyway. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** The connection is closed once the first byte of the reply's body is there, as the reply has no end. */
  readonly isEndless?: boolean
  /** The authority of the server's certificate, as PEM text, for a request over TLS. */
  readonly ca?: string
}

export interface KeptReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** Sends requests and keeps every byte that came back. */
export interface KeptReplies {
  readonly said: Said[]
  ask(name: string, port: number, asked: Asked): Promise<KeptReply>
  /** Writes these very bytes on a connection of their own. */
  write(name: string, port: number, bytes: string): Promise<KeptReply>
}

const silenceMs = 30_000

export function keepReplies(): KeptReplies {
  const said: Said[] = []
  const keep = (name: string, reply: KeptReply): KeptReply => {
    said.push({ place: `reply: ${name}`, text: `${reply.status} ${JSON.stringify(reply.headers)}\n${reply.body}` })
    return reply
  }
  return {
    said,
    ask: async (name, port, asked) => keep(name, await exchange(port, asked)),
    write: async (name, port, bytes) => keep(name, await wire(port, bytes)),
  }
}

function exchange(port: number, { method, path, headers = {}, body, isEndless, ca }: Asked): Promise<KeptReply> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const fields = Object.fromEntries(
      Object.entries({ ...headers, ...length }).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]),
    )
    const options = { host: '127.0.0.1', port, method, path, headers: fields, agent: false } as const
    const take = (incoming: IncomingMessage) => {
      let text = ''
      const end = () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text })
        outgoing.destroy()
      }
      incoming.setEncoding('utf8').on('data', (part: string) => {
        text += part
        if (isEndless) end()
      })
      incoming.once('end', end)
      incoming.once('error', reject)
      // A stream that has said nothing yet has at least its head.
      if (isEndless && String(incoming.headers['content-type']).startsWith('text/event-stream')) end()
    }
    const outgoing = ca === undefined ? requestPlainly(options, take) : requestSafely({ ...options, ca }, take)
    outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`silent for ${silenceMs} ms`)))
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

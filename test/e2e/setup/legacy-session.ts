import assert from 'node:assert/strict'
import { allOf, initialize, legacyPost, type McpReply, send, sessionRequest, type WireMessage } from './mcp-post.ts'

/** What came back for one request. */
export interface Outcome {
  readonly status: number
  /** The response, undefined where none came. */
  readonly response: WireMessage | undefined
  readonly notices: readonly WireMessage[]
}

/** A legacy session on the wire, each of whose requests may go to another URL. */
export interface LegacySession {
  readonly id: string
  request(url: string, method: string, params?: Readonly<Record<string, unknown>>): Promise<Outcome>
  call(url: string, tool: string, args?: Readonly<Record<string, unknown>>): Promise<Outcome>
  /** The reply of a call while it is under way, and the id of the request. */
  open(url: string, tool: string, args?: Readonly<Record<string, unknown>>): Promise<McpReply>
  /** Answers a request of the server's. */
  respond(url: string, id: unknown, result: Readonly<Record<string, unknown>>): Promise<Outcome>
  listen(url: string): Promise<McpReply>
  /** Gives the HTTP status. */
  end(url: string): Promise<number>
}

/** Opens a session at a URL; throws where it gets none. */
export async function openLegacySession(url: string, capabilities: object = {}): Promise<LegacySession> {
  const opened = await send(url, initialize(capabilities))
  const answer = await outcomeOf(opened)
  assert.ok(opened.session !== undefined, `no session: ${JSON.stringify(answer)}`)
  const session = legacySession(opened.session)
  await outcomeOf(await send(url, legacyPost(session.id, { method: 'notifications/initialized' })))
  return session
}

/** A session that has an id already. */
export function legacySession(id: string): LegacySession {
  let ids = 0
  const post = (url: string, method: string, params: Readonly<Record<string, unknown>>) =>
    send(url, legacyPost(id, { id: ++ids, method, params }))
  const session: LegacySession = {
    id,
    request: async (url, method, params = {}) => outcomeOf(await post(url, method, params)),
    call: (url, name, args = {}) => session.request(url, 'tools/call', { name, arguments: args }),
    open: (url, name, args = {}) => post(url, 'tools/call', { name, arguments: args }),
    respond: async (url, to, result) => outcomeOf(await send(url, legacyPost(id, { id: to, result }))),
    listen: (url) => send(url, sessionRequest('GET', id)),
    async end(url) {
      const reply = await send(url, sessionRequest('DELETE', id))
      await allOf(reply)
      return reply.status
    },
  }
  return session
}

/** Reads a reply to its end. */
export async function outcomeOf(reply: McpReply): Promise<Outcome> {
  const messages = await allOf(reply)
  return {
    status: reply.status,
    response: messages.find(({ method }) => method === undefined),
    notices: messages.filter(({ method }) => method !== undefined),
  }
}

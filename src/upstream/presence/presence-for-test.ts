import type { TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Message, ServerBuffers, scanMessage } from '../../mcp/mcp.ts'
import type { UpstreamSettings } from '../server/settings.ts'
import type { UpstreamEvents } from '../server/status.ts'
import type { Connector, Listen, Post, Reply } from '../wire/connector.ts'
import { createPresence, type Presence } from './create-presence.ts'

/** For tests: one message that a fake server got. */
export interface Posted {
  readonly method: string
  readonly id: number | undefined
  readonly params: Readonly<Record<string, unknown>>
  readonly session: string | undefined
  answer(reply: Reply): void
  result(value: object): void
  error(code: number): void
}

/** For tests: one stream that a fake server was asked for. */
export interface FakeStream {
  readonly request: Listen
  /** The filter that a modern server's stream was requested with. */
  readonly filter: Readonly<Record<string, unknown>>
  isOpen: boolean
  /** Sends a notification. */
  send(method: string, params?: object): void
  end(status: number): void
}

export type FakeScript = Record<string, (posted: Posted) => void>

export interface OpenPresence {
  readonly presence: Presence
  readonly script: FakeScript
  readonly posts: readonly Posted[]
  readonly streams: readonly FakeStream[]
  readonly dropped: string[]
  readonly others: string[]
  /** What happened, in order: posts by method, streams by `open 0`, `close 0`, events. */
  readonly log: string[]
  count(method: string): number
  /** Moves the mocked timers and the clock on. */
  pass(ms: number): Promise<void>
  /** How long, from now on, handling each change of a list takes. */
  busyMs: number
}

/** For tests: the URIs that a modern server's stream asks for. */
export function uris(stream: FakeStream | undefined): readonly string[] | undefined {
  return stream?.filter['resourceSubscriptions'] as readonly string[] | undefined
}

/** For tests: a Presence of a fake server that is an object, with a clock of its own. */
export async function openPresence(
  t: TestContext,
  era: 'legacy' | 'modern',
  capabilities: object,
  more: FakeScript = {},
  settings: Partial<UpstreamSettings> = {},
): Promise<OpenPresence> {
  t.mock.timers.reset()
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  let ids = 0
  const posts: Posted[] = []
  const streams: FakeStream[] = []
  const dropped: string[] = []
  const others: string[] = []
  const log: string[] = []
  const script: FakeScript = {
    'server/discover': ({ result }) => result({ supportedVersions: ['2026-07-28'], capabilities }),
    initialize: ({ result }) => result({ protocolVersion: '2025-11-25', capabilities, serverInfo: {} }),
    'notifications/initialized': ({ answer }) => answer({ kind: 'http', status: 202, text: '' }),
    'tools/list': ({ result }) => result({ tools: [{ name: 'x', inputSchema: { type: 'object' } }] }),
    'prompts/list': ({ result }) => result({ prompts: [{ name: 'p' }] }),
    'resources/list': ({ result }) => result({ resources: [{ uri: 'a://1', name: 'r' }] }),
    'resources/templates/list': ({ result }) => result({ resourceTemplates: [{ uriTemplate: 'a://{x}', name: 't' }] }),
    'resources/subscribe': ({ result }) => result({}),
    'resources/unsubscribe': ({ result }) => result({}),
    ...more,
  }
  const connector: Connector = {
    post: (request) =>
      new Promise((resolve) => {
        const posted = postedOf(request, resolve)
        posts.push(posted)
        log.push(posted.method)
        script[posted.method]?.(posted)
      }),
    listen(request) {
      const number = streams.length
      log.push(`open ${number}`)
      const stream: FakeStream = {
        request,
        filter: request.body === undefined ? {} : JSON.parse(request.body).params.notifications,
        isOpen: true,
        send(method, params = {}) {
          if (stream.isOpen) request.onMessage(messageOf({ jsonrpc: '2.0', method, params }), method)
        },
        end(status) {
          stream.isOpen = false
          request.onEnd(status, undefined, undefined)
        },
      }
      streams.push(stream)
      return {
        close() {
          stream.isOpen = false
          log.push(`close ${number}`)
        },
      }
    },
    async delete() {},
    async close() {},
  }
  let spentMs = 0
  const events: UpstreamEvents = {
    listChanged() {
      log.push('listChanged')
      spentMs += opened.busyMs
    },
    stateChanged: ({ state }) => void log.push(state),
    dropped: (reasons) => void dropped.push(...reasons),
    repaired() {},
  }
  const clientInfo = { name: 'test', version: '1' }
  const whole: UpstreamSettings = {
    ...{ backend: 'b', name: 's', identity: 'i', era, requestMs: 5000, listMs: 5000, ttlMs: 60_000 },
    ...{ pages: 10, entriesPerList: 100, listChars: 100_000, checkMs: 3000 },
    ...settings,
  }
  const presence = createPresence(
    whole,
    connector,
    { buffers: new ServerBuffers(), clientInfo, now: () => Date.now() + spentMs, random: () => 0.5, events },
    { era, clientInfo, timeoutMs: whole.listMs, nextId: () => ++ids },
    (_met, _message, method) => others.push(method),
  )
  t.after(() => presence.close())
  const opened: OpenPresence = {
    presence,
    busyMs: 0,
    script,
    posts,
    streams,
    dropped,
    others,
    log,
    count: (method) => posts.filter((one) => one.method === method).length,
    async pass(ms) {
      // Each timer finds the clock at its own time.
      for (let i = 0; i < ms; i++) t.mock.timers.tick(1)
      await nextTurn()
    },
  }
  await nextTurn()
  return opened
}

function postedOf(request: Post, answer: (reply: Reply) => void): Posted {
  const { method, id, params = {} } = JSON.parse(request.body)
  const respond = (rest: object) =>
    answer({ kind: 'message', status: 200, message: messageOf({ jsonrpc: '2.0', id, ...rest }), session: undefined })
  const at = request.headers.indexOf('mcp-session-id')
  return {
    method,
    id,
    params,
    session: at < 0 ? undefined : request.headers[at + 1],
    answer,
    result: (result) => respond({ result }),
    error: (code) => respond({ error: { code, message: 'm' } }),
  }
}

function messageOf(value: object): Message {
  const message = scanMessage(JSON.stringify(value), { depth: 64, tokens: 100_000 })
  if (message.kind === 'fault') throw new Error(message.text)
  return message
}

/** A server's answer that opens a session. */
export function inSession(session: string, capabilities: object): (posted: Posted) => void {
  return ({ id, answer }) => {
    const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: {} }
    answer({ kind: 'message', status: 200, message: messageOf({ jsonrpc: '2.0', id, result }), session })
  }
}

import { once } from 'node:events'
import { connect } from 'node:net'
import type { Asked, KeptReplies } from '../setup/kept-replies.ts'
import { initialize, legacyPost, type McpRequest, modernPost, sessionRequest } from '../setup/mcp-post.ts'
import { until } from '../setup/wait.ts'
import { head } from '../setup/wire.ts'
import { callMs, type House } from './house.ts'

type Headers = Readonly<Record<string, string>>
type Fields = Readonly<Record<string, unknown>>

/** What happens once, and the records that must come of it: these members, and no `without`. */
export interface Happening {
  readonly name: string
  /** Gives the HTTP status; undefined where the client doesn't wait for it. */
  happen(): Promise<number | undefined>
  readonly status: number | undefined
  readonly records: readonly Fields[]
}

/** A table of requests good, bad and broken off, of both eras. */
export async function happenings(
  { serving: { port }, issuer, apiKey, server }: House,
  replies: KeptReplies,
): Promise<readonly Happening[]> {
  const alice = { authorization: `Bearer ${await issuer.token({ sub: 'alice', act: { sub: 'helper', act: { sub: 'planner' } } })}` }
  const expired = { authorization: `Bearer ${await issuer.token({ sub: 'alice', exp: 1_000_000 })}` }
  const asAlice = { issuer: issuer.issuer, subject: 'alice', actors: ['helper', 'planner'] }
  const anonymous = { issuer: undefined, subject: undefined, actors: undefined }
  const open = { route: 'open', agent: 'open', backend: undefined, ...anonymous }
  const refused = { outcome: 'refused', server: undefined }
  let ids = 0

  const ask = (name: string, status: number, asked: Asked, ...records: readonly Fields[]): Happening => ({
    name,
    status,
    records: records.map((record) => ({ httpStatus: status, ...record })),
    happen: async () => (await replies.ask(name, port, asked)).status,
  })
  const at = (agent: string, { method, headers, body }: McpRequest, more: Headers = {}): Asked => ({
    method,
    path: `/mcp/${agent}`,
    headers: { ...headers, ...more },
    ...(body === undefined ? {} : { body }),
  })
  const modern = (method: string, params: Fields = {}) => modernPost(++ids, method, params)
  const call = (tool: string, args: Fields = {}) => modern('tools/call', { name: tool, arguments: args })
  const opened = await replies.ask('opens', port, at('open', initialize({})))
  const session = String(opened.headers['mcp-session-id'])
  const legacy = (method: string, params: Fields = {}) => legacyPost(session, { id: ++ids, method, params })
  const calls = (era: 'modern' | 'legacy', tool: string, args: Fields = {}) =>
    at('open', era === 'modern' ? call(tool, args) : legacy('tools/call', { name: tool, arguments: args }))
  const called = (era: 'modern' | 'legacy', tool: string, more: Fields): Fields => ({
    ...open,
    backend: 'default',
    server: 'vault',
    method: 'tools/call',
    name: tool,
    clientEra: era,
    ...more,
  })
  const raw = (name: string, status: number, bytes: string, ...records: readonly Fields[]): Happening => ({
    name,
    status,
    records: records.map((record) => ({ httpStatus: status, ...record })),
    happen: async () => (await replies.write(name, port, bytes)).status,
  })
  const heard = () => server.heard.length
  /** Sends a request and closes the connection when it has reached the server. */
  const leave = (asked: Asked) => async () => {
    const before = heard()
    const socket = connect(port, '127.0.0.1')
    const headers = { host: `127.0.0.1:${port}`, ...asked.headers, 'content-length': String(Buffer.byteLength(asked.body ?? '')) }
    socket.write(head(asked.method, asked.path, headers as Headers) + (asked.body ?? ''))
    await until('the call to reach the server', () => (heard() > before ? true : undefined))
    socket.destroy()
    return undefined
  }
  const host = `Host: 127.0.0.1:${port}\r\n`
  const edge = { method: 'unread', outcome: 'refused', route: undefined, ...anonymous }
  const inBatch = (id: number, method: string, params: Fields) => ({ jsonrpc: '2.0', id, method, params })
  const denied = (at: number) => ({ place: `policies.authorize.deny[${at}]` })

  const inEachEra = (['modern', 'legacy'] as const).flatMap((era): readonly Happening[] => [
    ask(`${era}: a call`, 200, calls(era, 'vault_greet', { message: 'x' }), called(era, 'vault_greet', { outcome: 'ok', hasDigest: true })),
    ask(`${era}: a failure of the tool`, 200, calls(era, 'vault_sad'), called(era, 'vault_sad', { outcome: 'error', reason: undefined })),
    ask(
      `${era}: a server that refuses us`,
      200,
      calls(era, 'vault_locked'),
      called(era, 'vault_locked', { outcome: 'error', reason: 'upstream-auth' }),
    ),
    ask(`${era}: a server that breaks off`, 200, calls(era, 'vault_cut'), called(era, 'vault_cut', { outcome: 'error' })),
    ask(`${era}: a tool that nobody knows`, 200, calls(era, 'vault_nothing'), {
      ...open,
      ...refused,
      method: 'tools/call',
      name: 'vault_nothing',
      reason: 'unknown-name',
      rule: undefined,
    }),
    ask(`${era}: a tool that the agent doesn't select`, 200, calls(era, 'vault_html'), {
      ...open,
      outcome: 'refused',
      method: 'tools/call',
      name: 'vault_html',
      reason: 'not-selected',
      rule: undefined,
    }),
    ask(`${era}: a tool that a rule hides`, 200, calls(era, 'vault_missing'), {
      ...open,
      outcome: 'refused',
      method: 'tools/call',
      name: 'vault_missing',
      reason: 'hidden-by-rule',
      rule: denied(0),
    }),
    ask(
      `${era}: arguments that a rule refuses`,
      200,
      calls(era, 'vault_greet', { message: 'forbidden' }),
      called(era, 'vault_greet', { outcome: 'refused', reason: 'refused-by-rule', rule: denied(1), hasDigest: true }),
    ),
    ask(`${era}: a list`, 200, at('open', era === 'modern' ? modern('tools/list') : legacy('tools/list')), {
      ...open,
      outcome: 'ok',
      method: 'tools/list',
      clientEra: era,
    }),
    ask(
      `${era}: a method that nobody knows`,
      era === 'modern' ? 404 : 200,
      at('open', era === 'modern' ? modern('vault/open') : legacy('vault/open')),
      {
        ...open,
        outcome: 'refused',
        method: 'vault/open',
        reason: 'method-unknown',
      },
    ),
    ask(`${era}: no credential`, 401, at('closed', era === 'modern' ? modern('server/discover') : initialize({})), {
      route: 'closed',
      agent: 'closed',
      ...anonymous,
      outcome: 'refused',
      reason: 'unauthenticated',
      method: 'POST',
    }),
    ask(`${era}: a token`, 200, at('closed', era === 'modern' ? modern('server/discover') : initialize({}), alice), {
      route: 'closed',
      agent: 'closed',
      ...asAlice,
      outcome: 'ok',
      method: era === 'modern' ? 'server/discover' : 'initialize',
    }),
  ])

  return [
    ...inEachEra,
    ask('an expired token', 401, at('closed', modern('server/discover'), expired), {
      route: 'closed',
      ...anonymous,
      outcome: 'refused',
      reason: 'unauthenticated',
    }),
    ask('a key', 200, at('closed', call('vault_greet'), { 'x-api-key': apiKey }), {
      route: 'closed',
      agent: 'closed',
      issuer: undefined,
      subject: 'bot',
      outcome: 'ok',
      server: 'vault',
      name: 'vault_greet',
    }),
    ask('somebody who may not use it', 403, at('nobody', modern('server/discover'), alice), {
      route: 'nobody',
      agent: 'nobody',
      ...asAlice,
      outcome: 'refused',
      reason: 'access',
      rule: { place: 'agents.nobody.access' },
    }),
    ask('a token that lacks a scope', 403, at('scoped', modern('server/discover'), alice), {
      route: 'scoped',
      outcome: 'refused',
      reason: 'scope',
    }),
    ask(
      'no such path',
      404,
      { ...at('open', modern('server/discover')), path: '/elsewhere' },
      { route: undefined, outcome: 'refused', reason: 'no-route', path: '/elsewhere' },
    ),
    ask('an origin of elsewhere', 403, at('open', modern('server/discover'), { origin: 'https://elsewhere.example' }), {
      outcome: 'refused',
      reason: 'origin',
    }),
    ask('a host of elsewhere', 403, at('open', modern('server/discover'), { host: 'elsewhere.example' }), {
      outcome: 'refused',
      reason: 'host',
    }),
    ask(
      'broken JSON',
      400,
      { ...at('open', call('vault_greet')), body: '{"jsonrpc":"2.0",' },
      { ...open, outcome: 'refused', reason: 'bad-json', method: 'POST' },
    ),
    ask(
      'too long a body',
      413,
      { ...at('open', call('vault_greet')), body: ' '.repeat(20_000) },
      { outcome: 'refused', reason: 'body-too-large' },
    ),
    ask('another media type', 415, at('open', call('vault_greet'), { 'content-type': 'text/plain' }), {
      ...open,
      outcome: 'refused',
      reason: 'media-type',
    }),
    ask(
      'another method',
      405,
      { ...at('open', call('vault_greet')), method: 'PUT' },
      { ...open, outcome: 'refused', reason: 'not-allowed-method', method: 'PUT' },
    ),
    ask('initialize', 200, at('open', initialize({})), { ...open, outcome: 'ok', method: 'initialize', clientEra: 'legacy' }),
    ask('a notification', 202, at('open', legacyPost(session, { method: 'notifications/initialized' })), {
      ...open,
      outcome: 'ok',
      method: 'notifications/initialized',
    }),
    ask('a ping', 200, at('open', legacy('ping')), { ...open, outcome: 'ok', method: 'ping' }),
    ask(
      'a preflight',
      204,
      { method: 'OPTIONS', path: '/mcp/open', headers: { origin: 'http://localhost:1', 'access-control-request-method': 'POST' } },
      {
        outcome: 'ok',
        method: 'OPTIONS',
      },
    ),
    ask(
      'metadata',
      200,
      { method: 'GET', path: '/.well-known/oauth-protected-resource/mcp/closed' },
      { route: 'closed', outcome: 'ok', method: 'GET' },
    ),
    ask(
      'metadata of what needs none',
      404,
      { method: 'GET', path: '/.well-known/oauth-protected-resource/mcp/open' },
      { outcome: 'refused', reason: 'no-route', path: '/.well-known/oauth-protected-resource/mcp/open' },
    ),
    ask('a stream', 200, { ...at('open', sessionRequest('GET', session)), isEndless: true }, { ...open, outcome: 'ok', method: 'GET' }),
    ask(
      'a subscription',
      200,
      { ...at('open', modern('subscriptions/listen', { notifications: { toolsListChanged: true } })), isEndless: true },
      {
        ...open,
        outcome: 'ok',
        method: 'subscriptions/listen',
      },
    ),
    ask(
      'a batch of three',
      200,
      {
        ...at('open', legacy('ping')),
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify([
          inBatch(1, 'tools/call', { name: 'vault_greet', arguments: {} }),
          inBatch(2, 'tools/call', { name: 'vault_missing', arguments: {} }),
          inBatch(3, 'ping', {}),
        ]),
      },
      called('legacy', 'vault_greet', { outcome: 'ok' }),
      { ...open, method: 'tools/call', name: 'vault_missing', outcome: 'refused', reason: 'hidden-by-rule', rule: denied(0) },
      { ...open, method: 'ping', outcome: 'ok' },
    ),
    ask(
      'a batch of another version',
      400,
      { ...at('open', legacy('ping')), body: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]' },
      { ...open, outcome: 'refused', reason: 'bad-request' },
    ),
    {
      name: 'modern: a call that its client breaks off',
      status: undefined,
      happen: leave(at('open', call('vault_hold'))),
      records: [called('modern', 'vault_hold', { outcome: 'cancelled', reason: 'cancelled', httpStatus: 0 })],
    },
    {
      // A legacy client that goes away has not cancelled (2025-11-25, transports).
      name: `legacy: a call that its client leaves, and that ends after ${callMs} ms`,
      status: undefined,
      happen: leave(at('open', legacy('tools/call', { name: 'vault_hold', arguments: {} }))),
      records: [called('legacy', 'vault_hold', { outcome: 'error', reason: 'upstream-timeout', httpStatus: 0 })],
    },
    {
      name: 'a client that goes in the middle of its body',
      status: undefined,
      async happen() {
        const socket = connect(port, '127.0.0.1')
        const { headers } = call('vault_greet')
        const expecting = { host: `127.0.0.1:${port}`, ...headers, 'content-length': '1000', expect: '100-continue' }
        socket.write(head('POST', '/mcp/open', expecting))
        // It is being read now.
        await once(socket, 'data')
        socket.write('{"jsonrpc"')
        socket.resetAndDestroy()
        return undefined
      },
      records: [{ ...open, outcome: 'cancelled', reason: 'cancelled', httpStatus: 0 }],
    },
    {
      name: 'a client that ends in the middle of its body, and still reads',
      status: 400,
      async happen() {
        const socket = connect(port, '127.0.0.1')
        const { headers } = call('vault_greet')
        socket.end(`${head('POST', '/mcp/open', { host: `127.0.0.1:${port}`, ...headers, 'content-length': '1000' })}{"jsonrpc"`)
        const [reply] = await once(socket.setEncoding('utf8'), 'data')
        return Number(String(reply).split(' ')[1])
      },
      records: [{ ...open, outcome: 'refused', reason: 'bad-request', httpStatus: 400 }],
    },
    raw('a repeated header', 400, `POST /mcp/open HTTP/1.1\r\n${host}Authorization: a\r\nAuthorization: b\r\n\r\n`, {
      ...edge,
      reason: 'bad-request',
    }),
    raw('what is no HTTP', 400, 'nonsense\r\n\r\n', { ...edge, reason: 'bad-request' }),
    raw('a head that is too long', 431, `POST /mcp/open HTTP/1.1\r\n${host}Cookie: ${'x'.repeat(20_000)}\r\n\r\n`, {
      ...edge,
      reason: 'headers-too-large',
    }),
    raw('a coding that is not known', 501, `POST /mcp/open HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`, {
      ...edge,
      reason: 'not-implemented',
    }),
    ask('the end of a session', 204, at('open', sessionRequest('DELETE', session)), { ...open, outcome: 'ok', method: 'DELETE' }),
    ask('a session that has ended', 404, at('open', legacy('ping')), { ...open, outcome: 'refused', reason: 'session-unknown' }),
  ]
}

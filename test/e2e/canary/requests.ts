import { breakageNames } from '../setup/hostile-server.ts'
import type { Asked } from '../setup/kept-replies.ts'
import { initialize, legacyPost, type McpRequest, modernPost, sessionRequest } from '../setup/mcp-post.ts'
import type { Scene } from './scene.ts'

export type Era = 'legacy' | 'modern'
export type Agent = 'open' | 'closed' | 'optional' | 'scoped' | 'nobody'

/** At the listener that speaks TLS where it has a `ca`, else at the other. */
export interface SweptRequest extends Asked {
  readonly name: string
  readonly status: number
}

type Headers = Readonly<Record<string, string>>
type Params = Readonly<Record<string, unknown>>

/** Requests good and bad of one era, each with the status of its reply. `sessions` are those of a legacy client at each endpoint. */
export function sweep(
  { secrets, tokens }: Scene,
  era: Era,
  sessions: Readonly<Record<'open' | 'closed', string>>,
): readonly SweptRequest[] {
  let ids = 0
  const message = (agent: 'open' | 'closed', method: string, params: Params): McpRequest =>
    era === 'modern' ? modernPost(++ids, method, params) : legacyPost(sessions[agent], { id: ++ids, method, params })
  const request = (name: string, status: number, agent: Agent, made: McpRequest, headers: Headers = {}, query = ''): SweptRequest => ({
    ...made,
    name,
    status,
    path: `/mcp/${agent}${query}`,
    headers: { ...made.headers, ...headers },
  })
  const first = (name: string, status: number, agent: Agent, headers: Headers = {}, query = '') =>
    request(name, status, agent, era === 'modern' ? modernPost(++ids, 'server/discover', {}) : initialize({}), headers, query)
  const list = (name: string, agent: 'open' | 'closed', headers: Headers) =>
    request(name, 200, agent, message(agent, 'tools/list', {}), headers)
  const call = (name: string, tool: string, args: Params = {}, headers: Headers = { cookie: `session=${secrets.cookie}` }) =>
    request(name, 200, 'open', message('open', 'tools/call', { name: tool, arguments: args }), headers)
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const withPassword = { message: 'hello', password: secrets.password }
  const whole = message('open', 'tools/call', { name: 'vault_echo', arguments: withPassword })

  return [
    first('no credential', 401, 'closed'),
    first('a token', 200, 'closed', bearer(tokens.valid)),
    first('a token and a cookie', 200, 'closed', { ...bearer(tokens.valid), cookie: `session=${secrets.cookie}` }),
    first('an expired token', 401, 'closed', bearer(tokens.expired)),
    first('a token for somebody else', 401, 'closed', bearer(tokens.wrongAudience)),
    first('a forged token', 401, 'closed', bearer(tokens.forged)),
    first('an unsigned token', 401, 'closed', bearer(tokens.unsigned)),
    first('an encrypted token', 401, 'closed', bearer(tokens.encrypted)),
    first('garbage for a token', 401, 'closed', bearer(tokens.garbage)),
    first('two tokens', 401, 'closed', bearer(`${tokens.valid} ${tokens.expired}`)),
    first('half a token', 401, 'closed', bearer(tokens.valid.slice(0, -20))),
    first('no scheme', 401, 'closed', { authorization: tokens.valid }),
    first('a password in place of a token', 401, 'closed', {
      authorization: `Basic ${Buffer.from(`alice:${secrets.strayBasic}`).toString('base64')}`,
    }),
    first('a key', 200, 'closed', { 'x-api-key': secrets.apiKey }),
    first('a key as a token', 200, 'closed', bearer(secrets.apiKey)),
    first('the digest of a key', 401, 'closed', { 'x-api-key': secrets.apiKeyDigest }),
    first('a key of nobody', 401, 'closed', { 'x-api-key': secrets.wrongApiKey }),
    first('a key of nobody as a token', 401, 'closed', bearer(secrets.wrongApiKey)),
    first('a key and a token', 400, 'closed', { 'x-api-key': secrets.apiKey, ...bearer(tokens.valid) }),
    first('a token in the URL', 401, 'closed', {}, `?access_token=${tokens.valid}`),
    first('a key in the URL', 401, 'closed', {}, `?api_key=${secrets.apiKey}`),
    first('a token that lacks a scope', 403, 'scoped', bearer(tokens.scopeless)),
    first('somebody who may not use it', 403, 'nobody', bearer(tokens.valid)),
    first('a token where none is needed', 200, 'optional', bearer(tokens.valid)),
    first('a bad token where none is needed', 401, 'optional', bearer(tokens.expired)),
    first('a token where nobody asks', 200, 'open', bearer(secrets.strayBearer)),
    first('a key where nobody asks', 200, 'open', { 'x-api-key': secrets.wrongApiKey }),
    first('a secret in the URL', 200, 'open', { cookie: secrets.cookie }, `?token=${secrets.strayQuery}`),
    list('a list', 'open', bearer(secrets.strayBearer)),
    list('a list with a token', 'closed', bearer(tokens.valid)),
    call('arguments', 'vault_greet', withPassword),
    call('arguments that come back', 'vault_echo', withPassword),
    call('arguments of a failure', 'vault_sad', withPassword),
    call('arguments that a rule refuses', 'vault_greet', { ...withPassword, message: 'forbidden' }),
    call('arguments that are none', 'vault_echo', { message: 7, password: [secrets.password] }),
    call('a tool that nobody knows', 'vault_nothing', withPassword),
    call("a broken server's tool", 'broken_echo', withPassword),
    ...breakageNames.map((name) => call(`a server that breaks: ${name}`, `vault_${name}`, withPassword)),
    call('a server that tells its secret', 'gossip_complain', withPassword),
    call('a tool that is called like a secret', `gossip_about_${secrets.gossipName}`, withPassword),
    request('a method that nobody knows', era === 'modern' ? 404 : 200, 'open', message('open', 'vault/open', { key: secrets.password })),
    request('parameters of another kind', 200, 'open', message('open', 'tools/list', { cursor: secrets.password })),
    request('broken JSON', 400, 'open', { ...whole, body: whole.body?.replace(/\}\}*$/, secrets.password) ?? '' }),
    request('a repeated key', 400, 'open', {
      ...whole,
      body: whole.body?.replace('"password"', `"password":"${secrets.password}","password"`) ?? '',
    }),
    request('no JSON-RPC', 400, 'open', { ...whole, body: JSON.stringify({ password: secrets.password }) }),
    request('too long a body', 413, 'open', { ...whole, body: JSON.stringify({ password: secrets.password.repeat(1000) }) }),
    request('another media type', 415, 'open', whole, { 'content-type': 'text/plain' }),
    request('an origin of elsewhere', 403, 'open', whole, { origin: 'https://elsewhere.example', cookie: secrets.cookie }),
    request('a host of elsewhere', 403, 'open', whole, { host: 'elsewhere.example', ...bearer(tokens.valid) }),
    { ...request('another method', 405, 'open', whole, { cookie: secrets.cookie }), method: 'PUT' },
    { ...request('no such path', 404, 'open', whole, bearer(tokens.valid)), path: `/elsewhere?token=${secrets.strayQuery}` },
    ...(era === 'modern'
      ? [
          request('headers and body that differ', 400, 'open', whole, { 'mcp-name': 'another', cookie: secrets.cookie }),
          request('another version', 400, 'open', whole, { 'mcp-protocol-version': '2030-01-01', cookie: secrets.cookie }),
        ]
      : [
          request('a session that nobody has', 404, 'open', legacyPost(secrets.strayQuery, { id: 1, method: 'ping' })),
          request("somebody else's session", 404, 'closed', legacyPost(sessions.open, { id: 1, method: 'ping' }), bearer(tokens.valid)),
          { ...request('a stream', 200, 'closed', sessionRequest('GET', sessions.closed), bearer(tokens.valid)), isEndless: true },
          request('a ping', 200, 'closed', legacyPost(sessions.closed, { id: 1, method: 'ping' }), bearer(tokens.valid)),
        ]),
  ]
}

/** What no client's library would send, as bytes, and what belongs to no era. */
export function oddRequests({
  secrets,
  tokens,
  ca,
  serving: { port },
}: Scene): readonly (SweptRequest | (Pick<SweptRequest, 'name' | 'status'> & { readonly bytes: string }))[] {
  const host = `Host: 127.0.0.1:${port}\r\n`
  const json = 'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n'
  const authorization = `Authorization: Bearer ${tokens.valid}\r\n`
  return [
    {
      name: 'metadata',
      status: 200,
      method: 'GET',
      path: '/.well-known/oauth-protected-resource/mcp/closed',
      headers: { cookie: secrets.cookie },
    },
    { name: 'metadata of nothing', status: 404, method: 'GET', path: `/.well-known/oauth-protected-resource/x?a=${secrets.strayQuery}` },
    {
      name: 'a preflight',
      status: 204,
      method: 'OPTIONS',
      path: '/mcp/open',
      headers: { origin: 'http://localhost:1', 'access-control-request-method': 'POST', cookie: secrets.cookie },
    },
    { ...modernPost(1, 'server/discover', {}), name: 'over TLS', status: 200, path: '/mcp/open', ca },
    { ...modernPost(1, 'server/discover', {}), name: 'over TLS, no credential', status: 401, path: '/mcp/closed', ca },
    {
      name: 'a repeated header',
      status: 400,
      bytes: `POST /mcp/open HTTP/1.1\r\n${host}${authorization}${authorization}Content-Length: 0\r\n\r\n`,
    },
    { name: 'a broken header', status: 400, bytes: `POST /mcp/open HTTP/1.1\r\n${host}Authorization Bearer ${tokens.valid}\r\n\r\n` },
    { name: 'a broken first line', status: 400, bytes: `${secrets.strayBearer} ${secrets.strayQuery}\r\n${host}\r\n` },
    {
      name: 'a path that can be read in two ways',
      status: 400,
      bytes: `GET /mcp/../${secrets.strayQuery} HTTP/1.1\r\n${host}${authorization}\r\n`,
    },
    {
      name: 'a head that is too long',
      status: 431,
      bytes: `POST /mcp/open HTTP/1.1\r\n${host}Cookie: ${secrets.cookie.repeat(1000)}\r\n\r\n`,
    },
    {
      name: 'a coding that is not known',
      status: 501,
      bytes: `POST /mcp/open HTTP/1.1\r\n${host}${authorization}Transfer-Encoding: gzip\r\n\r\n`,
    },
    {
      name: 'a chunk that is none',
      status: 400,
      bytes: `POST /mcp/open HTTP/1.1\r\n${host}${json}Transfer-Encoding: chunked\r\n\r\n${secrets.password}\r\n`,
    },
  ]
}

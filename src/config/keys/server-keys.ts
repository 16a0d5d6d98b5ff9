import type { Credentials, HttpTarget, Server, TargetTls, Timeouts } from '../model/model.ts'
import { boolean, choice, either, integer, json, list, object, type Schema, secret } from '../schema/schema.ts'
import { comesLater, command, credentialKinds } from './later-keys.ts'
import { serverPolicies } from './policy-keys.ts'
import { duration, endpoint, headerName, host, path, url, words } from './texts.ts'

const targetTls = object<TargetTls>(
  'targetTls',
  {
    ca: { schema: words, about: "Authorities to trust instead of the system's, as PEM text." },
    cert: { schema: words, about: 'Our certificate, as PEM text.' },
    key: { schema: secret('PEM'), about: 'Its private key, as PEM text.' },
    serverName: { schema: host, about: 'The name that the certificate must carry, where it is not the host.' },
    insecure: { schema: boolean, about: 'Do not check the certificate.', default: false },
  },
  [
    { kind: 'needs', key: 'cert', other: 'key' },
    { kind: 'needs', key: 'key', other: 'cert' },
  ],
)

const target = (title: string, usualPath: string): Schema<HttpTarget> =>
  object<HttpTarget>(
    title,
    {
      url: { schema: url, about: 'Where it is, whole.' },
      host: { schema: host, about: 'Its host, instead of `url`.' },
      port: { schema: integer(1, 65_535), about: 'Its port, with `host`.' },
      path: { schema: path, about: 'Its path, with `host`.', default: usualPath, beside: 'host' },
      endpoints: {
        schema: list(endpoint),
        about: 'Addresses (`ip:port`) behind the host, at most 256: each session stays at one of them. None: the host alone.',
      },
      tls: { schema: targetTls, about: 'How to check its certificate. With `host`: speak https.' },
    },
    [
      { kind: 'one-of', keys: ['url', 'host'] },
      { kind: 'excludes', key: 'url', others: ['port', 'path'] },
      { kind: 'needs', key: 'host', other: 'port' },
    ],
  )
/** How a server that speaks Streamable HTTP is reached. */
export const httpTarget = target('http', '/mcp')

/** The keys of a server of a backend. */
export const server = object<Server>(
  'server',
  {
    http: { schema: httpTarget, about: 'A server that speaks Streamable HTTP.' },
    sse: {
      schema: target('sse', '/sse'),
      about: 'A server that speaks HTTP+SSE of 2024-11-05.',
      later: 'use `http` if the server offers Streamable HTTP; a later version brings it',
    },
    command: {
      schema: command,
      about: 'A program that speaks over its standard input and output.',
      later: 'run it behind an HTTP bridge and use `http`; a later version brings it',
    },
    openapi: { schema: json, about: 'An HTTP API by its description.', later: comesLater },
    era: {
      schema: choice(['auto', 'legacy', 'modern']),
      about: 'Which family of protocol revisions to speak; `auto` asks the server.',
      default: 'auto',
    },
    timeouts: {
      schema: object<Timeouts>('timeouts', {
        connect: { schema: duration, about: 'To connect.', default: '2s' },
        request: { schema: duration, about: 'Of a call; a progress notification restarts it.', default: '60s' },
        list: { schema: duration, about: 'Of a list.', default: '5s' },
        idle: { schema: duration, about: 'Of a stream without events. Not written: none.' },
      }),
      about: 'Time limits.',
      default: {},
    },
    ttl: { schema: duration, about: 'How long its lists are used before they are asked for again.', default: '60s' },
    credentials: {
      schema: either<Credentials, Credentials>(choice(['none']), credentialKinds),
      about: 'What mcplex shows the server: `none` or one kind.',
      default: 'none',
    },
    passHeaders: {
      schema: list(headerName),
      about: "Headers of the caller's request that go on to the server.",
      default: [],
      later: 'send fixed headers with `credentials.header`',
    },
    policies: { schema: serverPolicies, about: 'What holds for this server.' },
  },
  [{ kind: 'one-of', keys: ['http', 'sse', 'command', 'openapi'] }],
)

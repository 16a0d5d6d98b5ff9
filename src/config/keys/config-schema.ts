import type {
  Admin,
  Agent,
  Backend,
  Config,
  Credentials,
  Health,
  HttpTarget,
  Limits,
  Listener,
  Match,
  Observe,
  PathMatch,
  Prefix,
  Route,
  Rule,
  RuleBackend,
  RuleTimeouts,
  Server,
  Sessions,
  TargetTls,
  Timeouts,
  ValueMatch,
} from '../model/model.ts'
import { boolean, choice, either, type Fault, integer, json, type Key, list, map, object, type Schema, secret } from '../schema/schema.ts'
import { command, cors, credentialKinds, metrics, peers, store, traces } from './later-keys.ts'
import { listenerTls } from './listener-keys.ts'
import { access, policies, serverPolicies, toolTest } from './policy-keys.ts'
import {
  duration,
  endpoint,
  headerBounds,
  headerName,
  headerValueFault,
  host,
  hostHeader,
  hostname,
  ipAddress,
  listenAddress,
  listenOrOff,
  name,
  origin,
  path,
  qualified,
  resourcePattern,
  size,
  toolPattern,
  url,
  words,
} from './texts.ts'

/** The long form: every key of configuration.md, section 2, in its order. */

const later = 'a later version brings it; leave it out'
const policiesHere = (what: string): Key<NonNullable<Listener['policies']>> => ({
  schema: policies,
  about: `What holds for ${what}: who may call, what, and the record of it.`,
})

const listener = object<Listener>('listener', {
  name: { schema: name, about: 'Its name, for routes, logs and metrics.', isRequired: true },
  address: { schema: ipAddress, about: 'The IP address to bind; `0.0.0.0` is every one.', default: '127.0.0.1' },
  port: { schema: integer(0, 65_535), about: 'The port to bind; 0 takes any that is free.', isRequired: true },
  protocol: { schema: choice(['HTTP', 'HTTPS']), about: 'What it speaks.', default: 'HTTP' },
  hostname: { schema: hostname, about: 'Only requests for this host; `*.example.com` is any below.' },
  tls: { schema: listenerTls, about: 'Its certificates, with `protocol: HTTPS`.' },
  hosts: {
    schema: list(hostHeader),
    about: 'Accepted `Host`s. Not written: on loopback its own names, elsewhere the hostnames of listener and routes, or any.',
  },
  origins: { schema: list(origin), about: 'Accepted `Origin`s of browsers. Not written: on loopback those of loopback, elsewhere none.' },
  cors: { schema: cors, about: 'Cross-origin rules of your own.', later: 'list the pages under `origins`; a later version brings it' },
  insecure: { schema: boolean, about: 'Open to other machines without authentication.', default: false },
  policies: policiesHere('what comes in here'),
})

const anyPath = { type: 'PathPrefix', value: '/' } as const
const valueMatch = (title: string, names: Schema<string>): Schema<ValueMatch> =>
  object<ValueMatch>(title, {
    type: { schema: choice(['Exact', 'RegularExpression'], ['RegularExpression']), about: 'How it is compared.', default: 'Exact' },
    name: { schema: names, about: 'Which one.', isRequired: true },
    value: { schema: words, about: 'What it must be.', isRequired: true },
  })

const match = object<Match>('match', {
  path: {
    schema: object<PathMatch>('pathMatch', {
      type: {
        schema: choice(['Exact', 'PathPrefix', 'RegularExpression'], ['RegularExpression']),
        about: 'How it is compared.',
        default: 'PathPrefix',
      },
      value: { schema: path, about: 'The path.', default: '/' },
    }),
    about: 'The path of the request.',
    default: anyPath,
  },
  headers: { schema: list(valueMatch('headerMatch', headerName)), about: 'Headers that the request must have.', default: [] },
  queryParams: { schema: list(valueMatch('queryMatch', words)), about: 'Query parameters that it must have.', default: [] },
  method: { schema: choice(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']), about: 'Its method.' },
})

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
const httpTarget = target('http', '/mcp')

const ruleBackend = object<RuleBackend>(
  'ruleBackend',
  {
    backend: { schema: qualified, about: 'A backend: all that its servers offer.' },
    agent: { schema: qualified, about: 'An agent: what it selects.' },
    refuse: {
      schema: object<NonNullable<RuleBackend['refuse']>>('refuse', {
        status: { schema: integer(400, 599), about: 'The HTTP status of the reply.', isRequired: true },
        reason: { schema: words, about: 'A sentence for the caller.' },
      }),
      about: 'Nothing: requests are answered with this.',
    },
    http: { schema: httpTarget, about: 'A plain HTTP service.', later },
    weight: { schema: integer(0, 1_000_000), about: 'Its share of new sessions among its siblings.', default: 1 },
  },
  [{ kind: 'one-of', keys: ['backend', 'agent', 'refuse', 'http'] }],
)

const rule = object<Rule>('rule', {
  matches: { schema: list(match, { min: 1 }), about: 'Which requests: any of these.', default: [{ path: anyPath }] },
  filters: { schema: list(json), about: 'Changes to the request (HTTPRouteFilter).', later },
  backends: {
    schema: list(ruleBackend, { min: 1, later: 'one backend for each rule; a later version brings weights' }),
    about: 'Where they go.',
    isRequired: true,
  },
  timeouts: {
    schema: object<RuleTimeouts>('ruleTimeouts', {
      request: { schema: duration, about: 'Of a whole request.' },
      backendRequest: { schema: duration, about: 'Of one try at a server.', later: 'use `timeouts.request` of the server' },
    }),
    about: 'Time limits.',
    default: {},
  },
  policies: policiesHere('what this rule matches'),
})

const route = object<Route>('route', {
  name: { schema: qualified, about: 'Its name, for logs and metrics.', isRequired: true },
  listeners: { schema: list(name, { min: 1 }), about: 'Only on these listeners. Not written: on all.' },
  hostnames: { schema: list(hostname), about: 'Only for these hosts; none: for any.', default: [] },
  policies: policiesHere('this route'),
  rules: { schema: list(rule), about: 'What it does.', isRequired: true },
})

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
    openapi: { schema: json, about: 'An HTTP API by its description.', later },
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

const prefix: Schema<Prefix> = choice(['always', 'conditional', 'never'])

const backend = object<Backend>('backend', {
  servers: { schema: map(name, server), about: 'Its servers, by name; the order counts where names are equal.', isRequired: true },
  prefix: {
    schema: prefix,
    about:
      "When tools and prompts carry their server's name (`<server>_<tool>`), and URIs (`<server>+<uri>`): always, only where there are several servers, never.",
    default: 'always',
  },
  failure: { schema: choice(['open', 'closed']), about: 'When a server is down: go on without it, or fail.', default: 'open' },
  routing: {
    schema: choice(['stateful', 'stateless'], ['stateless']),
    about: 'Whether a session stays with its servers.',
    default: 'stateful',
  },
  instructions: { schema: words, about: 'What clients are told about it.' },
  policies: policiesHere('this backend'),
})

const agent = object<Agent>('agent', {
  from: { schema: list(qualified, { min: 1 }), about: 'The backends whose servers it may use.', default: ['default'] },
  tools: {
    schema: list(toolPattern),
    about: 'Patterns over `<server>_<tool>`: `*` is anything, a leading `!` takes away. None: no tool.',
    default: [],
  },
  prompts: { schema: list(toolPattern), about: 'Patterns over `<server>_<prompt>`, likewise. None: no prompt.', default: [] },
  resources: {
    schema: list(resourcePattern),
    about: 'Patterns over `<server>+<uri>`, likewise; templates by their own text, such as `docs+file:///{path}`. None: no resource.',
    default: [],
  },
  path: { schema: path, about: 'Makes a route for it. Not written: `/mcp/<agent>` where the document has no `routes`, else none.' },
  prefix: { schema: prefix, about: "As a backend's. Not written: its backend's; with several backends: always." },
  instructions: { schema: words, about: 'What its clients are told.' },
  access: { schema: access, about: 'Who may use it at all (CEL); others get 403.' },
  policies: policiesHere('this agent'),
})

const sessionKeyFault = (value: string): Fault | undefined =>
  /^[A-Za-z0-9+/]{43}=?$/.test(value) ? undefined : { text: 'is not 32 bytes in base64', hint: 'make one with: openssl rand -base64 32' }

const sessions = object<Sessions>('sessions', {
  keys: {
    schema: list(
      object<Sessions['keys'][number]>('sessionKey', {
        id: { schema: name, about: 'Its name; goes in the clear with every session.', isRequired: true },
        secret: { schema: secret('base64', { fault: sessionKeyFault }), about: '32 bytes in base64.', isRequired: true },
      }),
    ),
    about: 'The first seals sessions, all open them. None: a random one, good for this process only.',
    default: [],
  },
  idle: { schema: duration, about: 'A session ends after this long without a request.', default: '30m' },
  absolute: { schema: duration, about: 'A session ends after this long in any case.', default: '24h' },
})

const tokenFault = (value: string): Fault | undefined =>
  value === '' ? { text: 'is empty', hint: 'set it to a long random text' } : headerValueFault(value)
const admin = object<Admin>('admin', {
  listen: { schema: listenAddress, about: 'Where status, metrics and the live configuration are read.', default: '127.0.0.1:15000' },
  token: {
    schema: secret('text', { fault: tokenFault }),
    about: 'What readers must show as a bearer token; needed where others can reach it.',
  },
})
const health = object<Health>('health', {
  listen: { schema: listenOrOff, about: 'A listener for `/healthz` and `/readyz` alone.', default: 'off' },
})

const count = integer(1, 1_000_000_000)
const limits = object<Limits>('limits', {
  body: { schema: size, about: "A request's body.", default: '4MiB' },
  headers: { schema: headerBounds, about: "A request's headers: bytes and number.", default: '16KiB/100' },
  depth: { schema: integer(1, 1000), about: 'Nested arrays and objects in a body.', default: 64 },
  tokens: { schema: count, about: 'Values and keys in a body.', default: 100_000 },
  connections: { schema: count, about: 'Open connections in all.', default: 10_000 },
  streamsPerCaller: { schema: count, about: "One caller's open streams.", default: 100 },
  toolsPerServer: { schema: count, about: 'Tools taken from one server.', default: 10_000 },
  pages: { schema: count, about: "Pages of one server's list.", default: 100 },
  answer: { schema: size, about: "A server's answer.", default: '16MiB' },
})

const observe = object<Observe>('observe', {
  log: {
    schema: object<Observe['log']>('log', {
      level: { schema: choice(['debug', 'info', 'warn', 'error']), about: 'The least that is logged.', default: 'info' },
      format: { schema: choice(['auto', 'text', 'json']), about: '`auto`: text on a terminal, json otherwise.', default: 'auto' },
    }),
    about: 'The log, on standard error.',
    default: {},
  },
  traces: { schema: traces, about: 'OpenTelemetry traces.', later },
  metrics: { schema: metrics, about: 'Metrics beyond `/metrics`.' },
})

/** The key by which a document from Kubernetes is known. */
export const writtenBy = 'mcplex.dev/version'

export const configSchema = object<Config>('config', {
  [writtenBy]: {
    schema: words,
    about: 'The version that wrote the document for Kubernetes: routes, backends and agents are then called `namespace/name`.',
  },
  listeners: { schema: list(listener), about: 'Where clients connect.', default: [{ name: 'default', port: 8080 }] },
  routes: { schema: list(route), about: 'Which request goes where. Not written: see `agents`.', default: [] },
  backends: { schema: map(qualified, backend), about: 'Groups of servers, by name.', default: {} },
  agents: {
    schema: map(qualified, agent),
    about: 'What each kind of client may see. Where there are any, `/mcp` is not served unless one has it as its `path`.',
    default: {},
  },
  policies: policiesHere('all traffic'),
  sessions: { schema: sessions, about: 'How long sessions live and what seals them.', default: {} },
  peers: { schema: peers, about: 'The other replicas.', later },
  store: { schema: store, about: 'State that replicas share.', later },
  admin: { schema: admin, about: 'The admin listener.', default: {} },
  health: { schema: health, about: 'The health listener.', default: {} },
  limits: { schema: limits, about: 'Bounds of the edge.', default: {} },
  observe: { schema: observe, about: 'What is seen from outside.', default: {} },
  tests: { schema: list(toolTest), about: 'Who must be able to call what, for `mcplex test`.', default: [] },
})

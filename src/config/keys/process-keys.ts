import type { Admin, Health, Limits, Metrics, Observe, Sessions } from '../model/model.ts'
import { choice, type Fault, integer, list, object, secret } from '../schema/schema.ts'
import { comesLater, traces } from './later-keys.ts'
import { duration, headerBounds, headerValueFault, listenAddress, listenOrOff, name, size, url } from './texts.ts'

/** The keys for the whole process: sessions, the admin and health listeners, limits, and observability. */

const sessionKeyFault = (value: string): Fault | undefined =>
  /^[A-Za-z0-9+/]{43}=?$/.test(value) ? undefined : { text: 'is not 32 bytes in base64', hint: 'make one with: openssl rand -base64 32' }

export const sessions = object<Sessions>('sessions', {
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
export const admin = object<Admin>('admin', {
  listen: { schema: listenAddress, about: 'Where status, metrics and the live configuration are read.', default: '127.0.0.1:15000' },
  token: {
    schema: secret('text', { fault: tokenFault }),
    about: 'What readers must show as a bearer token; needed where others can reach it.',
  },
})
export const health = object<Health>('health', {
  listen: { schema: listenOrOff, about: 'A listener for `/healthz` and `/readyz` alone.', default: 'off' },
})

const count = integer(1, 1_000_000_000)
export const limits = object<Limits>('limits', {
  body: { schema: size, about: "A request's body.", default: '4MiB' },
  headers: { schema: headerBounds, about: "A request's headers: bytes and number.", default: '16KiB/100' },
  depth: { schema: integer(1, 1000), about: 'Nested arrays and objects in a body.', default: 64 },
  tokens: { schema: count, about: 'Values and keys in a body.', default: 100_000 },
  connections: { schema: count, about: 'Open connections in all.', default: 10_000 },
  streamsPerCaller: { schema: count, about: "One caller's open streams.", default: 100 },
  toolsPerServer: { schema: count, about: 'Tools taken from one server.', default: 10_000 },
  pages: { schema: count, about: "Pages of one server's list.", default: 100 },
  answer: { schema: size, about: "A server's answer, or one event of its streams.", default: '16MiB' },
  buffered: {
    schema: size,
    about:
      'All that is held of servers together: answers and events that are not whole, and what clients have not taken. Not written: a quarter of the memory (of the container, where it has a limit), half of the heap where that is less, and at least four answers.',
  },
})

const metricLabel = choice(['mcp_method_name', 'gen_ai_tool_name', 'error_type', 'mcplex_server', 'mcplex_agent'])
const metrics = object<Metrics>('metrics', {
  labels: {
    schema: list(metricLabel),
    about: 'By which labels durations of requests are told apart: the fewer, the fewer lines. Not written: by all.',
  },
  otlp: {
    schema: url,
    about: 'Where metrics are sent besides `/metrics`.',
    later: 'scrape /metrics of the admin listener; a later version pushes',
  },
})

export const observe = object<Observe>('observe', {
  log: {
    schema: object<Observe['log']>('log', {
      level: { schema: choice(['debug', 'info', 'warn', 'error']), about: 'The least that is logged.', default: 'info' },
      format: { schema: choice(['auto', 'text', 'json']), about: '`auto`: text on a terminal, json otherwise.', default: 'auto' },
    }),
    about: 'The log, on standard error.',
    default: {},
  },
  traces: { schema: traces, about: 'OpenTelemetry traces.', later: comesLater },
  metrics: { schema: metrics, about: 'Metrics, at `/metrics` of the admin listener.' },
})

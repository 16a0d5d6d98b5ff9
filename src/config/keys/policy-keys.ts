import { expressionFault, type Scope } from '../../cel/cel.ts'
import type {
  ApiKey,
  Audit,
  AuditHttpSink,
  AuditSink,
  Authenticate,
  Authorize,
  Jwks,
  JwtAlgorithm,
  JwtIssuer,
  McpAuthentication,
  Policies,
  ResourceMetadata,
} from '../model/model.ts'
import { boolean, choice, type Fault, json, type Key, list, map, object, type Schema, secret, text } from '../schema/schema.ts'
import { durationMs, urlFault } from '../values/values.ts'
import { comesLater } from './later-keys.ts'
import { addedHeader, duration, headerValueFault, url, words } from './texts.ts'

/** The keys of policies: authentication, authorization, and audit records. */

function expression(scope: Scope): Schema<string> {
  const fault = (value: string): Fault | undefined => {
    const found = expressionFault(value, scope)
    return found && { ...found, hint: found.hint ?? 'what rules can say is in docs/rules.md' }
  }
  return text('CEL expression', { fault })
}

/** The key `access` of an agent: a CEL expression about the caller and the request alone. */
export const access = expression('access')
const rule = expression('item')

const issuerUrl = text('URL', {
  fault: (value) => {
    if (!/^https?:\/\/[^\s?#]+$/.test(value))
      return { text: 'is not the URL of an issuer', hint: 'write the `iss` of its tokens, such as https://id.example/realms/main' }
    return urlFault(value)
  },
})

/** One of a token's scopes (RFC 6749, section 3.3). */
const scope = text('scope', { pattern: /^[\x21\x23-\x5b\x5d-\x7e]+$/, hint: 'write one word for each, without quotes or blanks' })

const jwksFault = (value: string): Fault | undefined => {
  const hint = 'write {"keys":[…]} as its issuer publishes it, or "${file:jwks.json}"'
  try {
    const set = JSON.parse(value) as { readonly keys?: unknown } | null
    return Array.isArray(set?.keys) ? undefined : { text: 'is not a JWK set', hint }
  } catch {
    return { text: 'is not JSON', hint }
  }
}

const maxLeewayMs = 60_000
const leeway = text('duration', {
  fault: (value) => {
    const known = duration.kind === 'text' && duration.pattern?.test(value)
    if (!known) return { text: 'is not a duration', hint: 'write a number with s or ms, such as 30s' }
    return durationMs(value) <= maxLeewayMs ? undefined : { text: 'is too long', hint: 'at most 60s: mend the clocks instead' }
  },
})

const algorithm = choice<JwtAlgorithm>(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])

const jwks = object<Jwks>(
  'jwks',
  {
    url: { schema: url, about: "Where the issuer publishes its keys. Neither this nor `inline`: found by the issuer's own metadata." },
    inline: {
      schema: text('JSON', { fault: jwksFault }),
      about: 'The keys themselves, as JSON text; `"${file:jwks.json}"` reads them from a file and follows it.',
    },
    refresh: { schema: duration, about: 'How old they may be before they are asked for again.', default: '5m' },
    ca: { schema: words, about: "Authorities to trust instead of the system's, as PEM text." },
  },
  [{ kind: 'excludes', key: 'inline', others: ['url', 'refresh', 'ca'] }],
)

const jwtIssuer = object<JwtIssuer>('jwtIssuer', {
  issuer: { schema: issuerUrl, about: 'The `iss` of its tokens, character for character.', isRequired: true },
  audiences: {
    schema: list(words, { min: 1 }),
    about: "A token's `aud` must hold one of these, character for character: the URL of the endpoint, as a rule.",
    isRequired: true,
  },
  jwks: { schema: jwks, about: "The issuer's keys. Not written: found by the issuer's own metadata." },
  algorithms: {
    schema: list(algorithm, { min: 1 }),
    about: 'Signatures that are taken.',
    default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  },
  scopes: { schema: list(scope), about: 'Scopes that a token must carry, each; without them the reply is 403.', default: [] },
  leeway: { schema: leeway, about: 'By how much clocks may differ, at most 60s.', default: '30s' },
})

const sha256Fault = (value: string): Fault | undefined =>
  /^[0-9a-fA-F]{64}$/.test(value)
    ? undefined
    : { text: 'is not a SHA-256 in 64 hexadecimal digits', hint: 'make it with: printf %s "$KEY" | sha256sum' }

const apiKey = object<ApiKey>('apiKey', {
  id: { schema: words, about: 'Who it is of, for rules, logs and audit.', isRequired: true },
  sha256: { schema: secret('SHA-256', { fault: sha256Fault }), about: 'The digest of the key, never the key.', isRequired: true },
  claims: { schema: json, about: 'What rules find under `apiKey`, beside `id`.', default: {} },
})

const mcp = object<McpAuthentication>('mcpAuthentication', {
  provider: {
    schema: choice(['auth0', 'authentik', 'descope', 'entra', 'keycloak', 'okta']),
    about: "Whose authorization server it is, where clients need help with that one's ways.",
  },
  clientId: {
    schema: words,
    about: 'A public client that is registered there, given to clients that would register themselves.',
  },
  resourceMetadata: {
    schema: object<ResourceMetadata>('resourceMetadata', {
      resource: { schema: url, about: 'The URL of the endpoint as clients know it. Not written: as they called it.' },
      scopesSupported: { schema: list(scope), about: 'Scopes that clients may ask for.', default: [] },
      resourceName: { schema: words, about: 'What people call it.' },
      resourceDocumentation: { schema: url, about: 'Where people read about it.' },
    }),
    about: 'What clients are told (RFC 9728).',
    default: {},
  },
})

const authenticate = object<Authenticate>('authenticate', {
  mode: {
    schema: choice(['strict', 'optional']),
    about: '`optional` lets callers without a credential in as anonymous; a wrong credential is refused in both.',
    default: 'strict',
  },
  jwt: { schema: list(jwtIssuer), about: 'Bearer tokens of these issuers.', default: [] },
  apiKeys: { schema: list(apiKey), about: 'Keys, sent as a bearer token or in `X-API-Key`.', default: [] },
  mtls: { schema: boolean, about: "A client certificate that the listener's `clientCa` vouches for.", default: false },
  mcp: { schema: mcp, about: 'How MCP clients are told where to log in.' },
})

const authorize = object<Authorize>('authorize', {
  allow: { schema: list(rule), about: 'Some of these must hold, if there are any.', default: [] },
  deny: { schema: list(rule), about: 'None of these may hold.', default: [] },
  require: { schema: list(rule), about: 'All of these must hold.', default: [] },
})

const auditSink = object<AuditSink>(
  'auditSink',
  {
    stdout: { schema: boolean, about: 'Standard output.' },
    file: { schema: words, about: 'A file that is appended to, and opened anew where it was moved away.' },
    http: {
      schema: object<AuditHttpSink>('auditHttpSink', {
        url: { schema: url, about: 'Where they are sent.', isRequired: true },
        headers: {
          schema: map(addedHeader, secret('text', { fault: headerValueFault })),
          about: 'Headers that go with them.',
          default: {},
        },
      }),
      about: 'A URL that takes POSTs of JSON lines.',
    },
  },
  [{ kind: 'one-of', keys: ['stdout', 'file', 'http'] }],
)

const digestKeyFault = (value: string): Fault | undefined =>
  /^[A-Za-z0-9+/]{43}=?$/.test(value) ? undefined : { text: 'is not 32 bytes in base64', hint: 'make one with: openssl rand -base64 32' }

const recordMembers = [
  ...[
    'route',
    'caller',
    'agent',
    'backend',
    'server',
    'method',
    'name',
    'reason',
    'path',
    'traceId',
    'sourceAddress',
    'issuer',
    'subject',
    'actors',
  ],
  ...['rule', 'rule.place', 'rule.text', 'argumentsDigest', 'arguments', 'mcp.tool.arguments'],
]
const redactable = text('path', {
  fault: (value) =>
    recordMembers.includes(value) || /^mcp\.tool\.arguments(?:\.[^\s.]+)+$/.test(value)
      ? undefined
      : { text: 'names no member of a record', hint: `write mcp.tool.arguments.NAME, or one of ${recordMembers.join(', ')}` },
})

const audit = object<Audit>('audit', {
  sinks: { schema: list(auditSink, { min: 1 }), about: 'Where records go: to each of these.', isRequired: true },
  chain: { schema: boolean, about: 'Whether each record holds the digest of the one before.', default: true },
  whenFull: {
    schema: choice(['refuse', 'drop']),
    about: 'What becomes of requests while a sink takes no records: refused with 503, or served without one.',
    default: 'refuse',
  },
  arguments: { schema: boolean, about: "Whether records hold a call's arguments, and not their keyed digest alone.", default: false },
  redact: { schema: list(redactable), about: 'Members of records that are blanked.', default: [] },
  key: {
    schema: secret('base64', { fault: digestKeyFault }),
    about:
      'Keys the chain and the digests of arguments: 32 bytes in base64. Not written: the chain has no key, and digests of arguments one derived from `sessions.keys`, else a random one.',
  },
})

const rateLimit = {
  schema: list(json),
  about: 'How many requests are let through: `by`, `requests`, `per`, `burst`, `concurrency`.',
  later: comesLater,
}

/** The policies of a place that callers come through, such as a listener or an agent. */
export const policies = object<Policies>('policies', {
  authenticate: { schema: authenticate, about: 'Who callers must prove to be.' },
  authorize: { schema: authorize, about: 'Rules (CEL) over callers, tools, prompts, resources and arguments.' },
  rateLimit,
  audit: { schema: audit, about: 'A record of every request.' },
})

/** The key `policies` of a place; `what` completes the sentence that describes it. */
export const policiesHere = (what: string): Key<Policies> => ({
  schema: policies,
  about: `What holds for ${what}: who may call, what, and the record of it.`,
})

const ofCallers = 'it holds for whole requests: write it for the backend, the agent, a route, a listener or all traffic'

/** The policies of a single server. */
export const serverPolicies = object<Policies>('serverPolicies', {
  authenticate: { schema: json as never, about: 'Not at a server.', later: ofCallers },
  authorize: { schema: authorize, about: 'Rules over what this server offers.' },
  rateLimit,
  audit: { schema: json as never, about: 'Not at a server.', later: ofCallers },
})

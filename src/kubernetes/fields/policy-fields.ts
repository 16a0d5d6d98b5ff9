import { quantityOf, textAt, unknownMembers, valueAt } from '../objects/objects.ts'
import { type LeftOut, type PolicyField, type PolicyFields, restricts } from './policy-field.ts'

type Section = Extract<PolicyField, { kind: 'section' }>

const done: PolicyField = { kind: 'done' }
const elsewhere: PolicyField = { kind: 'elsewhere' }
const harmless: LeftOut = { kind: 'harmless' }
const list = (of: PolicyField): PolicyField => ({ kind: 'list', of })
const section = (fields: PolicyFields): Section => ({ kind: 'section', fields })
/** A section whose presence asks for something even where it is empty. */
const wish = (fields: PolicyFields): Section => ({ kind: 'section', fields, isWish: true })
const only = (values: readonly string[], remedy: string): PolicyField => ({ kind: 'done', values, otherwise: restricts(remedy) })

/** A bound: a smaller one than mcplex's own restricts more than mcplex does. */
const bound = (ours: number, what: string): PolicyField => ({
  kind: 'if',
  isSo: (value) => (quantityOf(value) ?? 0) >= ours,
  meant: harmless,
  remedy: `mcplex's own bound is ${what}: leave it out where that will do`,
})

const byGateway = 'until a later version brings it, keep callers out by a proxy before mcplex, or remove it'
const byMode = 'write Strict, or Optional where callers may stay anonymous'
const byBackend = 'write traffic.jwtAuthentication with mcp, or target the AgentgatewayBackend'
const bySecret = 'mcplex reads Secrets by their names alone: put the keys into one Secret and name it in secretRef'
const byKey = 'use key or secretRef, or remove it'
const inHeader = 'put the credential into a header'

const aSecret = { group: only([''], 'name a Secret'), kind: only(['', 'Secret'], 'name a Secret') }
const secretKeyRef = section({ name: done, ...aSecret, key: done })
const location = section({
  header: section({ name: done, prefix: done }),
  queryParameter: restricts(inHeader),
  cookie: restricts(inHeader),
})

const auth = wish({
  key: done,
  secretRef: secretKeyRef,
  location,
  credentials: list(section({ location, secretRef: secretKeyRef })),
  passthrough: restricts(byKey),
  oauthTokenExchange: restricts(byKey),
  crossAppAccess: restricts(byKey),
  jwtSign: restricts(byKey),
  aws: restricts(byKey),
  azure: restricts(byKey),
  gcp: restricts(byKey),
})

const tls = wish({
  sni: done,
  insecureSkipVerify: only(['All'], 'set sni to a name that the certificate carries'),
  caCertificateRefs: list(section({ name: done, kind: only(['', 'ConfigMap', 'Secret'], 'name a ConfigMap or Secret') })),
  mtlsCertificateRef: list(section({ name: done, ...aSecret })),
  certificateSource: only(['Inline'], 'use mtlsCertificateRef and caCertificateRefs'),
  verifySubjectAltNames: restricts('set sni to the name that the certificate must carry'),
  keyExchangeGroups: restricts(),
  alpnProtocols: harmless,
})

/** Where callers put a credential. Only the places that mcplex reads anyway are allowed. */
const shownIn = (headers: Readonly<Record<string, readonly string[]>>, remedy: string): PolicyField => ({
  kind: 'if',
  isSo: (value) => {
    const name = textAt(value, 'header', 'name')?.toLowerCase() ?? ''
    const isAlone = unknownMembers(value, ['header']).length + unknownMembers(valueAt(value, 'header'), ['name', 'prefix']).length === 0
    return isAlone && Object.hasOwn(headers, name) && headers[name]?.includes(textAt(valueAt(value, 'header'), 'prefix') ?? '') === true
  },
  meant: elsewhere,
  remedy,
})
const asBearer = { authorization: ['Bearer '] }

const remoteJwks = section({
  jwksPath: done,
  cacheDuration: done,
  url: done,
  backendRef: section({
    group: only([''], 'name a Service'),
    kind: only(['', 'Service'], 'name a Service'),
    name: done,
    namespace: done,
    port: elsewhere,
  }),
})
const authenticationMode = only(['Strict', 'Optional'], byMode)
const toldToClients = {
  provider: only(['Auth0', 'Authentik', 'Descope', 'Entra', 'Keycloak', 'Okta'], 'leave it out'),
  clientId: done,
  resourceMetadata: elsewhere,
}

const jwtAuthentication = section({
  mode: authenticationMode,
  providers: list(section({ issuer: done, audiences: list(done), jwks: section({ inline: done, remote: remoteJwks }) })),
  location: shownIn(asBearer, 'tokens are read from the header Authorization, after "Bearer ": leave it out'),
  mcp: section(toldToClients),
})

const apiKeyAuthentication = section({
  mode: authenticationMode,
  secretRef: section({ name: done, ...aSecret }),
  secretSelector: restricts(bySecret),
  configMapSelector: restricts(bySecret),
  location: shownIn(
    { ...asBearer, 'x-api-key': [''] },
    'keys are read from the header Authorization, after "Bearer ", and from X-API-Key: leave it out, or write one of these',
  ),
})

const mcpAuthentication = section({
  mode: authenticationMode,
  issuer: done,
  audiences: list(done),
  jwks: remoteJwks,
  clientSecretRef: restricts('register a public client, and remove it'),
  ...toldToClients,
})

const mcpFields = { authorization: elsewhere, authentication: mcpAuthentication, guardrails: restricts() }

/** The members of a policy's `backend`, and of the `policies` of an AgentgatewayBackend or of one of its targets. */
export const backendFields: Section = section({
  tcp: section({ connectTimeout: done, keepalive: harmless }),
  tls,
  http: section({ requestTimeout: done, version: { kind: 'done', values: ['HTTP1'], otherwise: harmless } }),
  auth,
  tunnel: restricts(),
  ai: restricts(),
  mcp: section(mcpFields),
  transformation: restricts(),
  extAuth: restricts(byGateway),
  health: harmless,
})

/** The members of the same for a target or a Service, which have no rules for MCP of their own. */
export const targetFields: Section = section({
  ...backendFields.fields,
  mcp: restricts('write it for the whole AgentgatewayBackend'),
})

/** A buffer refuses bodies above its `maxBytes`, unless it fails open: only then may it be left out. */
const bufferBody: PolicyField = {
  kind: 'if',
  isSo: (value) => valueAt(value, 'failureMode') === 'FailOpen',
  meant: section({ maxBytes: harmless, failureMode: harmless }),
  remedy: "mcplex's own bounds refuse what is too large: leave it out where these will do, or let it fail open",
}

const trafficFields = section({
  phase: only(['PostRouting'], 'leave it out'),
  timeouts: section({ request: done }),
  jwtAuthentication,
  apiKeyAuthentication,
  basicAuthentication: restricts(byGateway),
  authorization: elsewhere,
  extAuth: restricts(byGateway),
  extProc: restricts(),
  rateLimit: restricts(),
  csrf: restricts(),
  transformation: restricts(),
  headerModifiers: restricts(),
  hostRewrite: restricts(),
  directResponse: restricts(),
  buffer: section({ request: bufferBody, response: bufferBody }),
  // Without it browsers on other pages are refused, a failed call stays failed, and nothing waits.
  cors: harmless,
  retry: harmless,
  delay: harmless,
})

const frontendFields = section({
  networkAuthorization: restricts(byGateway),
  proxyProtocol: restricts(),
  tls: section({
    minProtocolVersion: restricts(),
    maxProtocolVersion: restricts(),
    cipherSuites: restricts(),
    keyExchangeGroups: restricts(),
    alpnProtocols: harmless,
    handshakeTimeout: harmless,
  }),
  tcp: section({ keepalive: harmless }),
  // HTTP/2 is not spoken, CONNECT is always refused, and how long a connection lasts keeps no request out.
  http: section({
    maxBufferSize: bound(4 * 2 ** 20, '4Mi'),
    http1MaxHeaders: bound(100, '100'),
    http1IdleTimeout: harmless,
    http1HeaderCase: harmless,
    http2WindowSize: harmless,
    http2ConnectionWindowSize: harmless,
    http2FrameSize: harmless,
    http2MaxHeaderSize: harmless,
    http2KeepaliveInterval: harmless,
    http2KeepaliveTimeout: harmless,
    maxConnectionDuration: harmless,
  }),
  connect: section({ mode: { kind: 'done', values: ['Deny'], otherwise: harmless } }),
  accessLog: harmless,
  tracing: harmless,
  metrics: harmless,
})

const common: PolicyFields = {
  targetRefs: elsewhere,
  targetSelectors: elsewhere,
  strategy: section({ inheritance: only(['Default'], 'leave it out, and set the same fields in no policy of a route') }),
}
const misplaced = (remedy: string): LeftOut => ({ kind: 'restricts', remedy, reason: 'Invalid' })
const ofGateways = misplaced('it holds for Gateways alone: target the Gateway')
const ofBackends: Section = section({
  ...common,
  frontend: ofGateways,
  traffic: misplaced('it holds for Gateways and HTTPRoutes alone: target one of these'),
  backend: elsewhere,
})
const backendOfOthers = section({
  ...barred(backendFields, 'target the AgentgatewayBackend or the Service instead').fields,
  mcp: section({ ...mcpFields, authentication: restricts(byBackend) }),
})

/** The members of an AgentgatewayPolicy's `spec`, by the kind of its target. */
export const policyFields = {
  Gateway: section({ ...common, frontend: frontendFields, traffic: trafficFields, backend: backendOfOthers }),
  HTTPRoute: section({ ...common, frontend: ofGateways, traffic: trafficFields, backend: backendOfOthers }),
  AgentgatewayBackend: ofBackends,
  Service: ofBackends,
} as const satisfies Readonly<Record<string, Section>>

/**
 * A field in a place where what is put in force elsewhere has no effect: texts such as time limits and versions are harmless there, lists
 * and sections that ask for something restrict.
 */
function barred(field: Section, remedy: string): Section
function barred(field: PolicyField, remedy: string): PolicyField
function barred(field: PolicyField, remedy: string): PolicyField {
  if (field.kind === 'done') return { kind: 'harmless', remedy }
  if (field.kind === 'list' || (field.kind === 'section' && field.isWish)) return { kind: 'restricts', remedy }
  if (field.kind !== 'section') return field
  return section(Object.fromEntries(Object.entries(field.fields).map(([name, one]) => [name, barred(one, remedy)])))
}

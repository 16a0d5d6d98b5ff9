import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeAuthority } from '../../../src/listen/certificate-for-test.ts'
import { type Canary, randomKey, randomText, type Said } from '../setup/canaries.ts'
import { type HostileServer, startHostileServer } from '../setup/hostile-server.ts'
import { type RecordSink, startRecordSink } from '../setup/record-sink.ts'
import { startIssuer, type TokenIssuer } from '../setup/token-issuer.ts'
import { type Ports, type Serving, serveDocument } from '../setup/whole-document.ts'

/** A gateway with a secret in every place that takes one. */
export interface Scene {
  readonly serving: Serving
  readonly secrets: Secrets
  readonly tokens: Tokens
  readonly servers: Readonly<Record<'vault' | 'gossip' | 'broken', HostileServer>>
  readonly issuer: TokenIssuer
  readonly sinks: Readonly<Record<'good' | 'failing', RecordSink>>
  readonly env: Readonly<Record<string, string>>
  /** Of the certificate that the listener shows. */
  readonly ca: string
  canaries(): readonly Canary[]
  /** What the process has said and written so far, and what its sinks were sent. */
  outputs(): Promise<readonly Said[]>
}

/** How secrets get into the document, and what is made of what happens. */
export interface SceneSettings {
  readonly secrets: 'in the document' | 'by reference'
  readonly log: 'json' | 'text'
  readonly arguments: boolean
}

export type Secrets = ReturnType<typeof makeSecrets>
export type Tokens = Readonly<
  Record<'valid' | 'scopeless' | 'expired' | 'wrongAudience' | 'forged' | 'unsigned' | 'garbage' | 'encrypted', string>
>

const authority = makeAuthority('Authority')
/** What the listener shows, and what mcplex shows to a server. */
const [shown, own] = [authority.issue({ alternativeNames: ['IP:127.0.0.1'], use: 'server' }), authority.issue({ use: 'client' })]

function makeSecrets() {
  const apiKey = randomText()
  return {
    adminToken: randomText(),
    sealKey: randomKey(),
    otherSealKey: randomKey(),
    auditKey: randomKey(),
    sinkHeader: randomText(),
    sinkQuery: randomText(),
    failingSinkHeader: randomText(),
    apiKey,
    apiKeyDigest: createHash('sha256').update(apiKey).digest('hex'),
    wrongApiKey: randomText(),
    cookie: randomText(),
    strayBearer: randomText(),
    strayBasic: randomText(),
    strayQuery: randomText(),
    vaultBearer: randomText(),
    vaultKey: randomText(),
    vaultQuery: randomText(),
    gossipName: randomText(),
    gossipDescription: randomText(),
    gossipError: randomText(),
    brokenKey: randomText(),
    jwksQuery: randomText(),
    password: randomText(),
    tlsKey: shown.key,
    ownKey: own.key,
  }
}

/** Opens one; the test's end closes it. */
export async function openScene(t: TestContext, settings: SceneSettings): Promise<Scene> {
  const secrets = makeSecrets()
  const issuer = await startIssuer(t, secrets.jwksQuery)
  const tokens = await makeTokens(issuer)
  const gossip = { name: secrets.gossipName, description: secrets.gossipDescription, error: secrets.gossipError }
  const [vault, gossiping, broken] = [await startHostileServer(t), await startHostileServer(t, gossip), await startHostileServer(t)]
  const sinks = { good: await startRecordSink(t, 204), failing: await startRecordSink(t, 500) }
  const isByReference = settings.secrets === 'by reference'
  const env = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`SECRET_${name}`, value]))
  const written = (name: keyof Secrets) => (isByReference ? `\${SECRET_${name}}` : secrets[name].replaceAll('\n', '\\n'))
  /** Some are read from files. */
  const filed = (name: keyof Secrets) => (isByReference ? `\${file:${name}}` : secrets[name].replaceAll('\n', '\\n'))
  const jwt = (scopes: string) =>
    `jwt: [{ issuer: "${issuer.issuer}", audiences: [mcplex], scopes: [${scopes}], jwks: { url: "${issuer.issuer}/jwks?secret=${written('jwksQuery')}" } }]`
  const keys = `apiKeys: [{ id: bot, sha256: "${written('apiKeyDigest')}" }]`
  const document = ({ port, adminPort, otherPort }: Ports) => `
listeners:
  - { name: plain, port: ${port} }
  - name: safe
    port: ${otherPort}
    protocol: HTTPS
    tls: { certificates: [{ cert: ${JSON.stringify(shown.cert)}, key: "${filed('tlsKey')}" }] }
admin: { listen: "127.0.0.1:${adminPort}", token: "${written('adminToken')}" }
limits: { body: 16KiB }
observe: { log: { level: debug, format: ${settings.log} } }
sessions:
  keys: [{ id: new, secret: "${written('sealKey')}" }, { id: old, secret: "${filed('otherSealKey')}" }]
servers:
  vault:
    http: "${vault.url}?key=${written('vaultQuery')}"
    credentials: { header: { authorization: "Bearer ${written('vaultBearer')}", x-vault: "${filed('vaultKey')}" } }
  gossip:
    http: ${gossiping.url}
    credentials: { header: { x-name: "${written('gossipName')}", x-text: "${written('gossipDescription')}", x-error: "${written('gossipError')}" } }
  away:
    http: { url: "https://127.0.0.1:1/mcp", tls: { cert: ${JSON.stringify(own.cert)}, key: "${written('ownKey')}" } }
  broken:
    http: ${broken.origin}/broken
    credentials: { header: { x-broken: "${written('brokenKey')}" } }
agents:
  open: { tools: ["*"] }
  closed:
    tools: ["*"]
    policies: { authenticate: { ${jwt('')}, ${keys}, mcp: { provider: keycloak } } }
  optional:
    tools: ["*"]
    policies: { authenticate: { mode: optional, ${jwt('')} } }
  scoped:
    tools: ["*"]
    policies: { authenticate: { ${jwt('mcp')} } }
  nobody:
    tools: ["*"]
    access: 'jwt.sub == "nobody"'
    policies: { authenticate: { ${jwt('')} } }
policies:
  authorize: { deny: ['mcp.tool.name == "greet" && default(mcp.tool.arguments.message, "") == "forbidden"'] }
  audit:
    sinks:
      - file: audit.jsonl
      - stdout: true
      - http: { url: "${sinks.good.origin}/in?key=${written('sinkQuery')}", headers: { authorization: "Bearer ${written('sinkHeader')}" } }
      - http: { url: "${sinks.failing.origin}/in", headers: { x-key: "${filed('failingSinkHeader')}" } }
    whenFull: drop
    key: "${filed('auditKey')}"
    arguments: ${settings.arguments}
    redact: [mcp.tool.arguments.password]
tests:
  - { agent: closed, tool: vault_echo, claims: { sub: alice }, expect: allowed }
  - { agent: closed, tool: vault_greet, apiKey: bot, arguments: { message: forbidden }, expect: refused }
  - { agent: nobody, tool: vault_echo, expect: allowed }
`
  const beside = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, `${value}\n`]))
  const serving = await serveDocument(t, document, { env, beside })
  const auditFile = join(serving.directory, 'audit.jsonl')
  return {
    serving,
    secrets,
    tokens,
    servers: { vault, gossip: gossiping, broken },
    issuer,
    sinks,
    env,
    ca: authority.cert,
    canaries: () => [
      ...Object.entries(secrets).map(([name, value]) => ({ name, value: heartOf(value) })),
      ...Object.entries(tokens).flatMap(([name, value]) => [
        { name: `token: ${name}`, value },
        ...signatureOf(value).map((signature) => ({ name: `signature: ${name}`, value: signature })),
      ]),
    ],
    async outputs() {
      return [
        { place: 'stderr', text: serving.child.stderr() },
        { place: 'stdout', text: serving.child.stdout() },
        { place: 'audit file', text: await readFile(auditFile, 'utf8') },
        { place: 'bodies for the audit sink', text: sinks.good.taken.map(({ body }) => body).join('') },
        { place: 'bodies for the failing audit sink', text: sinks.failing.taken.map(({ body }) => body).join('') },
        ...headersOf('audit sink', sinks.good),
        ...headersOf('failing audit sink', sinks.failing),
      ]
    },
  }
}

function headersOf(name: string, { taken }: RecordSink): readonly Said[] {
  return [{ place: `heads for the ${name}`, text: taken.map(({ url, headers }) => `${url} ${JSON.stringify(headers)}\n`).join('') }]
}

/** Of a key as PEM text a line that no other key has. */
function heartOf(value: string): string {
  return value.startsWith('-----') ? (value.split('\n')[2] ?? '') : value
}

function signatureOf(token: string): readonly string[] {
  const signature = token.split('.')[2] ?? ''
  return signature.length > 40 ? [signature] : []
}

async function makeTokens(issuer: TokenIssuer): Promise<Tokens> {
  const claims = { sub: 'alice', groups: ['ops'] }
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const nowSeconds = Math.floor(Date.now() / 1000)
  return {
    valid: await issuer.token({ ...claims, scope: 'mcp' }),
    scopeless: await issuer.token({ ...claims, scope: 'other' }),
    expired: await issuer.token({ ...claims, exp: nowSeconds - 3600, iat: nowSeconds - 7200 }),
    wrongAudience: await issuer.token({ ...claims, aud: 'somebody-else' }),
    forged: await issuer.forged(claims),
    unsigned: `${encoded({ alg: 'none', typ: 'at+jwt', x: randomText() })}.${encoded({ iss: issuer.issuer, aud: 'mcplex', sub: 'eve' })}.`,
    garbage: `${randomText()}.${randomText()}.${randomText()}`,
    encrypted: `${encoded({ alg: 'dir', enc: 'A256GCM', x: randomText() })}..${randomText()}.${randomText()}.${randomText()}`,
  }
}

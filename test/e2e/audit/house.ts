import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { randomKey, randomText } from '../setup/canaries.ts'
import { type HostileServer, startHostileServer } from '../setup/hostile-server.ts'
import { startIssuer, type TokenIssuer } from '../setup/token-issuer.ts'
import { type Ports, type Serving, serveDocument } from '../setup/whole-document.ts'

/** A gateway that records requests of agents with each kind of gate. */
export interface House {
  readonly serving: Serving
  readonly server: HostileServer
  readonly issuer: TokenIssuer
  readonly apiKey: string
  /** Of the chain. */
  readonly key: string
  readonly file: string
}

/** How long a call may take that nobody answers. */
export const callMs = 3000

export async function openHouse(t: TestContext): Promise<House> {
  const issuer = await startIssuer(t, randomText())
  const server = await startHostileServer(t)
  const [apiKey, key] = [randomText(), randomKey()]
  const digest = createHash('sha256').update(apiKey).digest('hex')
  const jwt = (scopes: string) =>
    `jwt: [{ issuer: "${issuer.issuer}", audiences: [mcplex], scopes: [${scopes}], jwks: { url: "${issuer.jwksUrl}" } }]`
  const document = ({ port, adminPort }: Ports) => `
listen: 127.0.0.1:${port}
admin: { listen: "127.0.0.1:${adminPort}" }
limits: { body: 16KiB }
servers: { vault: { http: ${server.url}, timeouts: { request: ${callMs}ms } } }
agents:
  open: { tools: ["*", "!vault_html"] }
  closed:
    tools: ["*"]
    policies: { authenticate: { ${jwt('')}, apiKeys: [{ id: bot, sha256: "${digest}" }], mcp: { provider: keycloak } } }
  scoped: { tools: ["*"], policies: { authenticate: { ${jwt('mcp')} } } }
  nobody: { tools: ["*"], access: 'jwt.sub == "nobody"', policies: { authenticate: { ${jwt('')} } } }
policies:
  authorize:
    deny:
      - mcp.tool.name == "missing"
      - mcp.tool.name == "greet" && default(mcp.tool.arguments.message, "") == "forbidden"
  audit: { sinks: [{ file: audit.jsonl }], key: "${key}" }
`
  const serving = await serveDocument(t, document)
  return { serving, server, issuer, apiKey, key, file: join(serving.directory, 'audit.jsonl') }
}

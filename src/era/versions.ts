/** Revisions with a handshake and sessions, newest first. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

/** The newest revision with a handshake: what a client gets that asks for one we don't know. */
export const newestLegacy = legacyVersions[0]

/** What a legacy request without `MCP-Protocol-Version` is taken for (2025-11-25, transports, Protocol Version Header). */
export const assumedLegacy = '2025-03-26'

/** The stateless revision. */
export const modernVersion = '2026-07-28'

/** The first revisions that have what earlier ones lack. */
export const since = {
  audio: '2025-03-26',
  resourceLinks: '2025-06-18',
  structuredResults: '2025-06-18',
  elicitation: '2025-06-18',
  urlElicitation: '2025-11-25',
  samplingTools: '2025-11-25',
} as const

/** Whether a client reads something; one that does not say its revision is taken for a newer one. */
export function knows(version: string | undefined, what: keyof typeof since): boolean {
  return version === undefined || version >= since[what]
}

export function isLegacyVersion(version: string): boolean {
  return (legacyVersions as readonly string[]).includes(version)
}

/** Revisions are dates: everything from the first stateless one on has the envelope. */
export function isModernVersion(version: string): boolean {
  return version >= modernVersion
}

/** Whether a server's word for a revision is one, and may be shown. */
export function isRevision(version: unknown): version is string {
  return typeof version === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(version)
}

/** Reserved `_meta` keys of the 2026-07-28 envelope (basic, General fields). */
export const metaKeys = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
} as const

export interface Implementation {
  readonly name: string
  readonly version: string
}

/** Revisions with a handshake and sessions, newest first. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

/** The newest revision with a handshake; it is offered to a client that requests an unknown one. */
export const newestLegacy = legacyVersions[0]

/** The revision of a legacy request without `MCP-Protocol-Version` (2025-11-25, transports, Protocol Version Header). */
export const assumedLegacy = '2025-03-26'

/** The stateless revision. */
export const modernVersion = '2026-07-28'

/** Features, with the first revision that has each. */
export const since = {
  audio: '2025-03-26',
  resourceLinks: '2025-06-18',
  structuredResults: '2025-06-18',
  elicitation: '2025-06-18',
  urlElicitation: '2025-11-25',
  samplingTools: '2025-11-25',
} as const

/** Whether a client's revision has a feature; a client that names no revision is assumed to have it. */
export function knows(version: string | undefined, what: keyof typeof since): boolean {
  return version === undefined || version >= since[what]
}

export function isLegacyVersion(version: string): boolean {
  return (legacyVersions as readonly string[]).includes(version)
}

/** Whether a revision is stateless. Revisions are dates, so they can be compared as texts. */
export function isModernVersion(version: string): boolean {
  return version >= modernVersion
}

/** Whether a text from a server has the form of a revision, and may be shown. */
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

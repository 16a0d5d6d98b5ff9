import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Head } from '../../mcp/mcp.ts'
import type { Log, LogFields } from '../../observe/observe.ts'
import type { JwtSettings } from './settings.ts'

/** An issuer's key with its private half. */
export interface IssuerKey {
  readonly kid: string
  readonly algorithm: 'ES256' | 'RS256' | 'RS512' | 'EdDSA'
  readonly jwk: JWK
  readonly privateKey: CryptoKey
}

export async function makeKey(kid: string, algorithm: IssuerKey['algorithm'] = 'ES256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { kid, algorithm, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }, privateKey }
}

const signing = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  RS512: { name: 'RSASSA-PKCS1-v1_5' },
  EdDSA: { name: 'Ed25519' },
} as const

/** Signs a token of exactly these characters, whatever they mean. */
export async function signText(key: IssuerKey, header: string, payload: string): Promise<string> {
  const content = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`
  const signature = await crypto.subtle.sign(signing[key.algorithm], key.privateKey, Buffer.from(content))
  return `${content}.${Buffer.from(signature).toString('base64url')}`
}

/** Signs a token; members that are undefined are left out. */
export function sign(
  key: IssuerKey,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return signText(key, JSON.stringify({ alg: key.algorithm, kid: key.kid, ...header }), JSON.stringify(claims))
}

/** The answer at a path: JSON, a status alone, or whatever the function writes. */
export type Page = unknown | number | ((response: ServerResponse) => void)

export interface ServedIssuer extends AsyncDisposable {
  readonly url: string
  /** Paths that were asked for, in order. */
  readonly asked: string[]
  /** The answers by path; every other path is 404. */
  readonly pages: Map<string, Page>
  /** Publishes keys at `/jwks`. */
  publish(...keys: readonly IssuerKey[]): void
}

/** An identity provider on loopback. */
export async function serveIssuer(): Promise<ServedIssuer> {
  const asked: string[] = []
  const pages = new Map<string, Page>()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const page = pages.get(path) ?? 404
    if (typeof page === 'function') page(response)
    else if (typeof page === 'number') response.writeHead(page).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    pages,
    publish: (...keys) => pages.set('/jwks', { keys: keys.map(({ jwk }) => jwk) }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly fields: LogFields
}

/** A log that keeps its lines. */
export function keptLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: string) => (fields: LogFields, msg: string) => void lines.push({ level, fields, msg })
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    request: () => {},
    flush: () => {},
    dropped: 0,
  }
}

export function headWith(headers: Readonly<Record<string, string>>, more: Partial<Head> = {}): Head {
  return {
    method: 'POST',
    path: '/mcp',
    query: '',
    host: 'mcp.example',
    listener: 'main',
    remote: '127.0.0.1',
    header: (name) => headers[name],
    ...more,
  }
}

export function jwtSettings(more: Partial<JwtSettings>): JwtSettings {
  return {
    issuer: 'https://id.example',
    audiences: ['https://mcp.example/mcp'],
    keys: { kind: 'inline', jwks: '{"keys":[]}' },
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    scopes: [],
    leewayMs: 30_000,
    ...more,
  }
}

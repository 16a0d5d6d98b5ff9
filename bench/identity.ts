import { randomUUID } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const subject = '7a6c2f0e-3b51-4e0c-9d5b-b5c1f20f5a11'
/** The rule of identity.yaml that lets its caller call. */
const rule = 'policies.authorize.allow[0]'

/** An issuer with one key, and a token of it as Keycloak writes them: RS256, some 1000 characters, good for an hour. */
export interface Issuer {
  readonly issuer: string
  readonly audience: string
  /** JSON text of a JWK set. */
  readonly jwks: string
  readonly token: string
}

export async function createIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const kid = 'wQx0mF7bT3nq1Yd5kZb2oV9hLr8cJ6sE4uPaGiXtKyM'
  const issuer = 'https://id.example/realms/bench'
  const audience = 'https://mcplex.example/mcp'
  const session = randomUUID()
  const claims = { typ: 'Bearer', azp: 'bench', sid: session, scope: 'openid profile mcp', groups: ['everyone', 'bench'], level: 3 }
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience([audience, 'account'])
    .setSubject(subject)
    .setJti(`onrtac:${randomUUID()}`)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
  return { issuer, audience, jwks: JSON.stringify({ keys: [jwk] }), token }
}

/** Throws unless whoever has no token is refused, and the last record in the file is of the token's subject and names the rule that let it call. */
export async function proveIdentity(url: string, records: string): Promise<void> {
  const { status } = await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
  if (status !== 401) throw new Error(`a request without a token gets ${status}`)
  const last = endOf(records).findLast((line) => line.includes('"tools/call"')) ?? ''
  for (const part of [subject, rule]) if (!last.includes(`"${part}"`)) throw new Error(`no "${part}" in the record of a call: ${last}`)
}

/** The last whole lines of a file that may be large. */
function endOf(file: string): readonly string[] {
  const end = Buffer.alloc(64 * 1024)
  const handle = openSync(file, 'r')
  const { size } = fstatSync(handle)
  const length = readSync(handle, end, 0, end.length, Math.max(0, size - end.length))
  closeSync(handle)
  return end.toString('utf8', 0, length).split('\n').slice(1, -1)
}

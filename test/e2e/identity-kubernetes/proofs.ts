import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { bearer, type Headers } from '../identity/eras.ts'
import type { Agent } from '../identity/office.ts'

/** Whoever may use an agent, and somebody who may use none of them but sees everything. */
export type Person = Agent | 'admin'

export const issuer = 'https://id.example/realms/office'
export const audience = 'https://mcp.example/mcp'

const groups: Readonly<Record<Person, string>> = { sre: 'sre', accountant: 'accounting', admin: 'admins' }

/** How people prove who they are. */
export type Proof = TokenProof | KeyProof

export interface TokenProof {
  readonly kind: 'token'
  /** The public keys. */
  readonly jwks: { readonly keys: readonly JWK[] }
  headers(person: Person): Promise<Headers>
  /** A token with other claims than a good one's, or by another key. */
  bad(fault: Fault): Promise<string>
}

export type Fault = 'another audience' | 'another issuer' | 'expired' | 'another key'
export const faults: readonly Fault[] = ['another audience', 'another issuer', 'expired', 'another key']

/** A key pair of an issuer that is asked for nothing. */
export async function proofByToken(): Promise<TokenProof> {
  const [own, other] = await Promise.all([generateKeyPair('ES256', { extractable: true }), generateKeyPair('ES256')])
  const kid = 'one'
  const sign = (person: Person, fault?: Fault) =>
    new SignJWT({ groups: [groups[person]] })
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
      .setSubject(person)
      .setIssuer(fault === 'another issuer' ? 'https://id.example/realms/street' : issuer)
      .setAudience(fault === 'another audience' ? 'https://other.example/mcp' : audience)
      .setIssuedAt()
      .setExpirationTime(fault === 'expired' ? '-10m' : '1h')
      .sign(fault === 'another key' ? other.privateKey : own.privateKey)
  return {
    kind: 'token',
    jwks: { keys: [{ ...(await exportJWK(own.publicKey)), kid, alg: 'ES256', use: 'sig' }] },
    headers: async (person) => bearer(await sign(person)),
    bad: (fault) => sign('sre', fault),
  }
}

export interface KeyProof {
  readonly kind: 'key'
  /** By person: the entries of a Secret. */
  readonly keys: Readonly<Record<Person, string>>
  headers(person: Person): Promise<Headers>
}

/** Keys that are not like anything else which is written somewhere. */
export const proofByKey = keysOf('of-the-night-shift')

/** Keys that end in these words. */
export function keysOf(words: string): KeyProof {
  const keys = { sre: `sre-key-${words}`, accountant: `accountant-key-${words}`, admin: `admin-key-${words}` }
  return { kind: 'key', keys, headers: async (person) => ({ 'x-api-key': keys[person] }) }
}

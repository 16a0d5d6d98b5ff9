import { type CryptoKey, importJWK, type JWK } from 'jose'
import { isRecord } from '../../mcp/mcp.ts'

/** An issuer's public key for signatures. */
export interface SigningKey {
  readonly kid: string | undefined
  /** The algorithms that it may be used with. */
  readonly algorithms: readonly string[]
  /** The key for one of its algorithms; undefined where its data is no valid key. */
  cryptoKey(algorithm: string): Promise<CryptoKey | undefined>
}

interface Family {
  readonly kty: string
  readonly crv?: string
  readonly members: readonly string[]
}

const rsa: Family = { kty: 'RSA', members: ['n', 'e'] }
const curve = (crv: string): Family => ({ kty: 'EC', crv, members: ['x', 'y'] })

/**
 * Which key types belong to which algorithms (RFC 7518, section 3.1; RFC 8037). No algorithm with a shared secret is listed, and none may
 * ever be.
 */
const families = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: curve('P-256'),
  ES384: curve('P-384'),
  ES512: curve('P-521'),
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
} as const satisfies Readonly<Record<string, Family>>

const familyOf = new Map<string, Family>(Object.entries(families))

/** Most keys of one issuer; further ones are ignored. */
const maxKeys = 100
const minRsaBits = 2048
/** Bounds of a key's size, since the cost of verifying grows with it. */
const maxRsaBits = 8192
const maxExponentBits = 40

export interface KeysRead {
  readonly keys: readonly SigningKey[]
  /** How many other keys the set has, which can't be used here: for encryption, of other algorithms, or too short. */
  readonly ignored: number
}

/**
 * Reads the keys of a JWK set (RFC 7517, section 5) that may sign with these algorithms; undefined where it is no JWK set.
 * @param known the keys of the previous set: a key that is still there keeps its object
 */
export function readSigningKeys(set: unknown, algorithms: readonly string[], known: readonly SigningKey[] = []): KeysRead | undefined {
  const list = isRecord(set) ? set['keys'] : undefined
  if (!Array.isArray(list)) return undefined
  const before = new Map(known.map((key) => [marks.get(key), key]))
  const keys = new Map<string, SigningKey>()
  for (const jwk of list.slice(0, maxKeys)) {
    const read = readKey(jwk, algorithms)
    if (read !== undefined) keys.set(read.mark, before.get(read.mark) ?? createKey(read))
  }
  return { keys: [...keys.values()], ignored: list.length - keys.size }
}

/** A key's members as text, by which equal keys are recognised. */
const marks = new WeakMap<SigningKey, string>()

interface KeyRead {
  readonly jwk: JWK
  readonly kid: string | undefined
  readonly algorithms: readonly string[]
  readonly mark: string
}

function readKey(jwk: unknown, allowed: readonly string[]): KeyRead | undefined {
  if (!isRecord(jwk)) return undefined
  const { kty, kid, alg, use, key_ops: operations, crv, d, k } = jwk
  // A private key that has been published proves nothing.
  if (d !== undefined || k !== undefined) return undefined
  if (use !== undefined && use !== 'sig') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const algorithms = allowed.filter((name) => {
    const family = familyOf.get(name)
    return (
      family !== undefined && family.kty === kty && family.crv === (kty === 'RSA' ? undefined : crv) && (alg === undefined || alg === name)
    )
  })
  const family = familyOf.get(algorithms[0] ?? '')
  if (family === undefined || (kty === 'RSA' && !isSoundRsa(jwk))) return undefined
  const own: Record<string, string> = { kty: family.kty, ...(family.crv === undefined ? {} : { crv: family.crv }) }
  for (const name of family.members) {
    const member = jwk[name]
    if (typeof member !== 'string') return undefined
    own[name] = member
  }
  return { jwk: own as JWK, kid, algorithms, mark: JSON.stringify([own, kid, algorithms]) }
}

function createKey({ jwk, kid, algorithms, mark }: KeyRead): SigningKey {
  const imported = new Map<string, Promise<CryptoKey | undefined>>() // one for each of its algorithms
  const key: SigningKey = {
    kid,
    algorithms,
    cryptoKey(algorithm) {
      let found = imported.get(algorithm)
      if (found === undefined) {
        found = importJWK(jwk, algorithm).then(
          (one) => (one instanceof Uint8Array ? undefined : one),
          () => undefined,
        )
        imported.set(algorithm, found)
      }
      return found
    },
  }
  marks.set(key, mark)
  return key
}

function isSoundRsa({ n, e }: Readonly<Record<string, unknown>>): boolean {
  const bits = bitsOf(n)
  return bits >= minRsaBits && bits <= maxRsaBits && bitsOf(e) >= 2 && bitsOf(e) <= maxExponentBits
}

/** The length of a number in base64url, without its leading zeros. */
function bitsOf(value: unknown): number {
  if (typeof value !== 'string') return 0
  const bytes = Buffer.from(value, 'base64url')
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24)
}

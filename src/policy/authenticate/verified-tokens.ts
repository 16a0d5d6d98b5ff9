import type { Caller } from '../../mcp/mcp.ts'
import type { KeySet } from './key-set.ts'
import type { SigningKey } from './signing-key.ts'

/** A verified token: its caller, and the key that signed it. */
export interface VerifiedToken {
  readonly caller: Caller
  readonly key: SigningKey
  readonly keys: KeySet
}

/** Whether a verified token is still valid: it has not expired, and its issuer still publishes its key. */
export function isStillGood({ caller, key, keys }: VerifiedToken, nowMs: number): boolean {
  return nowMs < caller.expiresAtMs && keys.holds(key)
}

export interface VerifiedTokenLimits {
  readonly entries: number
  /** Most bytes of the heap that all entries hold together, estimated rather too high. */
  readonly bytes: number
}

interface Entry extends VerifiedToken {
  readonly bytes: number
}

/** A cache of verified tokens by their digests; the least recently used is forgotten first. */
export class VerifiedTokens {
  readonly #limits: VerifiedTokenLimits
  readonly #entries = new Map<string, Entry>() // bounded by #limits
  #bytes = 0

  constructor(limits: VerifiedTokenLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  /** The estimated bytes of the heap that all entries hold. */
  get bytes(): number {
    return this.#bytes
  }

  /** The entry of a token; one that is no longer valid is forgotten. */
  get(digest: string, nowMs: number): VerifiedToken | undefined {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return undefined
    this.#entries.delete(digest)
    if (isStillGood(entry, nowMs)) {
      this.#entries.set(digest, entry)
      return entry
    }
    this.#bytes -= entry.bytes
    return undefined
  }

  add(digest: string, verified: VerifiedToken): void {
    this.#drop(digest)
    const { id, subject, issuer, actors, claims } = verified.caller
    const bytes = entryBytes + sizeOf([id, subject, issuer, ...actors, claims])
    this.#entries.set(digest, { ...verified, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break
      this.#drop(oldest)
    }
  }

  #drop(digest: string): void {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return
    this.#entries.delete(digest)
    this.#bytes -= entry.bytes
  }
}

/** What an entry holds besides its caller's names and claims: its digest, its places in maps, and the caller itself. */
const entryBytes = 640

/** A rough upper estimate of a value's bytes on the heap; it nests no deeper than `readJson` allows. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 32 + 2 * value.length
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + 8 + sizeOf(one), 64)
  if (!(value instanceof Map)) return 32
  let bytes = 256
  for (const [key, one] of value) bytes += 64 + sizeOf(key) + sizeOf(one)
  return bytes
}

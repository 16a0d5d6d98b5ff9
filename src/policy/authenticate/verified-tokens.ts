import type { Caller } from '../../mcp/mcp.ts'
import type { KeySet } from './key-set.ts'
import type { SigningKey } from './signing-key.ts'

/** A token that was found good: whose it is, and by which key. */
export interface VerifiedToken {
  readonly caller: Caller
  readonly key: SigningKey
  readonly keys: KeySet
}

/** Whether it still is good: neither expired, nor signed with a key that its issuer has taken back. */
export function isStillGood({ caller, key, keys }: VerifiedToken, nowMs: number): boolean {
  return nowMs < caller.expiresAtMs && keys.holds(key)
}

export interface VerifiedTokenLimits {
  readonly entries: number
  /** Of all claims together, estimated. */
  readonly bytes: number
}

interface Entry extends VerifiedToken {
  readonly bytes: number
}

/** Tokens that were found good, by their digests; what was used longest ago is forgotten first. */
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

  /** A good token's; one that is good no more is forgotten. */
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
    const bytes = sizeOf(verified.caller.claims)
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

/** What a value holds of the heap, roughly and rather too much; as deep as `readJson` was let go. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 32 + 2 * value.length
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + 8 + sizeOf(one), 64)
  if (!(value instanceof Map)) return 32
  let bytes = 256
  for (const [key, one] of value) bytes += 64 + sizeOf(key) + sizeOf(one)
  return bytes
}

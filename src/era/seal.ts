import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

/** A key with which replicas seal; a replica that has it can open what another one sealed. `secret` is 32 bytes. */
export interface SealKey {
  readonly id: string
  readonly secret: Uint8Array
}

/**
 * Seals short texts into opaque tokens of visible ASCII with AES-256-GCM: `keyId.base64url(iv, ciphertext, tag)`. A token is bound to
 * `bound` (caller, route …): opening it with another value fails.
 */
export interface Sealer {
  seal(text: string, bound: readonly string[]): string
  /** Gives the text; undefined for a token that was not sealed with one of the keys for exactly `bound`. */
  open(token: string, bound: readonly string[]): string | undefined
}

const ivBytes = 12
const tagBytes = 16

/**
 * @param purpose separates the uses of one key: each has its own key, by HKDF-SHA256.
 * @param keys the first one seals; all can open.
 * @param maxTokenChars longer tokens are never opened, not even those sealed here.
 */
export function createSealer(
  purpose: string,
  keys: readonly SealKey[],
  random: (bytes: number) => Uint8Array,
  maxTokenChars = 8192,
): Sealer {
  const derived = new Map(keys.map((key) => [key.id, new Uint8Array(hkdfSync('sha256', key.secret, '', `mcplex ${purpose}`, 32))]))
  const [sealing] = keys
  if (sealing === undefined) throw new Error('a sealer needs a key')
  const additional = (keyId: string, bound: readonly string[]) => Buffer.from(JSON.stringify([purpose, keyId, ...bound]))
  return {
    seal(text, bound) {
      const iv = random(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', derived.get(sealing.id) ?? '', iv, { authTagLength: tagBytes })
      cipher.setAAD(additional(sealing.id, bound))
      const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${sealing.id}.${sealed.toString('base64url')}`
    },
    open(token, bound) {
      const dot = token.indexOf('.')
      if (dot < 0 || token.length > maxTokenChars) return undefined
      const key = derived.get(token.slice(0, dot))
      if (key === undefined) return undefined
      const body = token.slice(dot + 1)
      const bytes = Buffer.from(body, 'base64url')
      // Decoding ignores characters that are no base64url, so the spelling is compared: a token has only one.
      if (bytes.length < ivBytes + tagBytes || bytes.toString('base64url') !== body) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      decipher.setAAD(additional(token.slice(0, dot), bound))
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
      try {
        return decipher.update(bytes.subarray(ivBytes, bytes.length - tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** Seals texts that can be opened for `ttlMs`, by the clock `now` (milliseconds since the epoch). */
export function createExpiringSealer(sealer: Sealer, ttlMs: number, now: () => number): Sealer {
  return {
    seal: (text, bound) => sealer.seal(`${now() + ttlMs} ${text}`, bound),
    open(token, bound) {
      const text = sealer.open(token, bound)
      const space = text?.indexOf(' ') ?? -1
      return space > 0 && now() <= Number(text?.slice(0, space)) ? text?.slice(space + 1) : undefined
    },
  }
}

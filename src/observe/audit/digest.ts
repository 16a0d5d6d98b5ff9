import { createHmac, hash } from 'node:crypto'

/** The SHA-256, or with a key the HMAC-SHA256, of bytes or of a text in UTF-8, in 64 hexadecimal digits. */
export type Digest = (data: string | Uint8Array) => string

const blockBytes = 64
/** Longer data is hashed by a slower way that reuses no buffer, so that no buffer grows with the longest request. */
const maxQuickBytes = 256 * 1024

/** @param key at most 64 bytes; undefined for a plain SHA-256 */
export function createDigest(key: Uint8Array | undefined): Digest {
  if (key === undefined) return (data) => hash('sha256', data, 'hex')
  if (key.length > blockBytes) throw new RangeError(`a key of ${key.length} bytes`)
  // HMAC (RFC 2104) as two one-shot hashes: for short data this takes two thirds of the time of an Hmac object.
  const outer = Buffer.alloc(blockBytes + 32, 0x5c)
  let inner = Buffer.alloc(4096, 0x36)
  for (const [at, byte] of key.entries()) {
    outer.writeUInt8(byte ^ 0x5c, at)
    inner.writeUInt8(byte ^ 0x36, at)
  }
  return (data) => {
    // A character of a string is at most three bytes in UTF-8.
    const most = typeof data === 'string' ? data.length * 3 : data.length
    if (most > maxQuickBytes) return createHmac('sha256', key).update(data).digest('hex')
    if (blockBytes + most > inner.length) inner = Buffer.concat([inner.subarray(0, blockBytes)], blockBytes + 2 * most)
    let bytes = most
    if (typeof data === 'string') bytes = inner.write(data, blockBytes)
    else inner.set(data, blockBytes)
    outer.write(hash('sha256', inner.subarray(0, blockBytes + bytes), 'hex'), blockBytes, 'hex')
    return hash('sha256', outer, 'hex')
  }
}

import { escapeReferences } from '../config/config.ts'

/** What a part of a document takes in it, as JSON in UTF-8 with dollars escaped; beyond the limit any number that is larger. */
export function bytesWithin(value: unknown, limit: number): number {
  if (typeof value === 'string') return value.length > limit ? value.length : textBytes(value)
  if (typeof value !== 'object' || value === null) return String(value).length
  const entries = Object.entries(value)
  // Brackets and commas.
  let bytes = 2 + Math.max(0, entries.length - 1)
  for (const [key, member] of entries) {
    bytes += (Array.isArray(value) ? 0 : textBytes(key) + 1) + bytesWithin(member, limit - bytes)
    if (bytes > limit) break
  }
  return bytes
}

function textBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(escapeReferences(text)))
}

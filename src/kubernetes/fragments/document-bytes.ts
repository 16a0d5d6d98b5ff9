import { escapeReferences } from '../../config/config.ts'

/** How much room a value takes in a document. */
export interface Size {
  /** The bytes of its JSON in UTF-8, with dollars escaped. */
  readonly bytes: number
  /** The number of objects, lists and scalars in it, itself among them. */
  readonly parts: number
}

/** The size of a part of a document. Above `limit` bytes it may be any size above the limit: measuring stops there. */
export function sizeWithin(value: unknown, limit: number): Size {
  const size = { bytes: 0, parts: 0 }
  measure(value, limit, size)
  return size
}

/** The bytes of `sizeWithin`. */
export function bytesWithin(value: unknown, limit: number): number {
  return sizeWithin(value, limit).bytes
}

/** Where measuring a part stops: nothing larger is ever written. */
const countedBytes = 1_000_000

/** What the members of a list or an object add to a list or object that has others, each with a comma. */
export function sizeInside(holder: object): Size {
  const { bytes, parts } = sizeWithin(holder, countedBytes)
  return { bytes: bytes - 1, parts: parts - 1 }
}

function measure(value: unknown, limit: number, size: { bytes: number; parts: number }): void {
  size.parts++
  if (typeof value === 'string') {
    size.bytes += value.length > limit ? value.length : textBytes(value)
  } else if (Array.isArray(value)) {
    // Brackets and commas.
    size.bytes += 2 + Math.max(0, value.length - 1)
    for (const item of value) {
      if (size.bytes > limit) return
      measure(item, limit, size)
    }
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
    size.bytes += 2 + Math.max(0, members.length - 1)
    for (const [key, member] of members) {
      if (size.bytes > limit) return
      size.bytes += textBytes(key) + 1
      measure(member, limit, size)
    }
  } else size.bytes += String(value).length
}

/** Texts of which no character is escaped, in JSON or in documents. */
const plainText = /^[ !#%-[\]-~]*$/

function textBytes(text: string): number {
  return plainText.test(text) ? text.length + 2 : Buffer.byteLength(JSON.stringify(escapeReferences(text)))
}

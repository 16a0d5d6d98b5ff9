const sentinel = /^=\?base64\?(.*)\?=$/
const plain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

/** A value as `Mcp-Name` and `Mcp-Param-*` carry it (2026-07-28, streamable HTTP, Value Encoding). */
export function encodeHeaderValue(value: string): string {
  if (plain.test(value) && !sentinel.test(value)) return value
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}

/** The decoded value of a header; undefined where its Base64 or UTF-8 is invalid. */
export function decodeHeaderValue(header: string): string | undefined {
  const encoded = sentinel.exec(header)?.[1]
  if (encoded === undefined) return header
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined
}

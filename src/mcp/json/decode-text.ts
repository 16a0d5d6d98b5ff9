import { isAscii, isUtf8 } from 'node:buffer'
import type { JsonFault } from './message.ts'

/** The text of a JSON document's bytes. Invalid UTF-8 and a byte order mark are faults (RFC 8259 section 8.1) and are never repaired. */
export function decodeText(bytes: Uint8Array): string | JsonFault {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(buffer)) return buffer.toString('latin1')
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) return encodingFault('the text starts with a byte order mark')
  if (!isUtf8(buffer)) return encodingFault('the text is not valid UTF-8')
  return buffer.toString('utf8')
}

function encodingFault(text: string): JsonFault {
  return { kind: 'fault', fault: 'encoding', text }
}

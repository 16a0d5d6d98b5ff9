import { createHash } from 'node:crypto'

/** Names a document from Kubernetes, byte for byte: SHA-256 of its JSON text, hexadecimal. */
export function digestOfDocument(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

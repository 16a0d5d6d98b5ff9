import { createHash } from 'node:crypto'

/** Identifies a document from Kubernetes byte for byte: the SHA-256 of its JSON text, in hexadecimal digits. */
export function digestOfDocument(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

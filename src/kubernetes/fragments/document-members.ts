import { type Raw, rawAt, valueAt } from '../objects/objects.ts'

/** Whether a document has a server of this name in a backend of this name. */
export function isServerOf(document: Raw, backend: string, name: string): boolean {
  return valueAt(document, 'backends', backend, 'servers', name) !== undefined
}

/** Whether a document has an agent of this name. */
export function isAgentOf(document: Raw, name: string): boolean {
  return Object.hasOwn(rawAt(document, 'agents'), name)
}

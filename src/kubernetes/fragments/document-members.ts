import { type Raw, rawAt, valueAt } from '../objects/objects.ts'

export function isServerOf(document: Raw, backend: string, name: string): boolean {
  return valueAt(document, 'backends', backend, 'servers', name) !== undefined
}

export function isAgentOf(document: Raw, name: string): boolean {
  return Object.hasOwn(rawAt(document, 'agents'), name)
}

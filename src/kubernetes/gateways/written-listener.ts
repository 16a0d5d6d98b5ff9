import type { Raw } from '../objects/objects.ts'

/** A listener as its Gateway's spec has it, as far as it can be read. */
export interface WrittenListener {
  /** Such as `spec.listeners[0]`. */
  readonly place: string
  readonly raw: Raw
  readonly name: string
  readonly port: number | undefined
  readonly protocol: string
  /** Lower case. */
  readonly hostname: string | undefined
}

import { isRaw } from '../objects/objects.ts'
import type { PolicyFault } from './policy-fault.ts'

/** What mcplex does with a field of agentgateway's policies. */
export type PolicyField =
  /**
   * A text that is put in force. Where `values` are listed, only these are; other values are as `otherwise` says, by default restricting.
   */
  | { readonly kind: 'done'; readonly values?: readonly string[]; readonly otherwise?: LeftOut }
  | LeftOut
  /** An object. With `isWish` its mere presence asks for something, even where it is empty. */
  | { readonly kind: 'section'; readonly fields: PolicyFields; readonly isWish?: boolean }
  | { readonly kind: 'list'; readonly of: PolicyField }
  /** A field that is as `meant` says where `isSo` holds of its value; otherwise it restricts. */
  | { readonly kind: 'if'; readonly isSo: (value: unknown) => boolean; readonly meant: PolicyField; readonly remedy: string }
  /** Read and checked by a reader of its own. */
  | { readonly kind: 'elsewhere' }

/** A field that has no effect. */
export type LeftOut =
  /** Without it nothing passes that its author wants to keep out. */
  | { readonly kind: 'harmless'; readonly remedy?: string }
  /**
   * Without it more would pass, servers would see something else, or protection would be lost: it closes the place where the policy holds.
   */
  | { readonly kind: 'restricts'; readonly remedy?: string; readonly reason?: 'Invalid' }

/** The fields of a section, by name. */
export type PolicyFields = Readonly<Record<string, PolicyField>>

/** A field that restricts and can't be put in force, with the remedy. */
export const restricts = (remedy?: string): LeftOut => ({ kind: 'restricts', ...(remedy === undefined ? {} : { remedy }) })

/**
 * The faults of a value: what of it has no effect or is of a wrong type, in the order of its members. A member that the table does not have
 * restricts.
 */
export function leftOut(value: unknown, field: PolicyField, place: string): readonly PolicyFault[] {
  if (value === undefined || value === null) return []
  switch (field.kind) {
    case 'elsewhere':
      return []
    case 'harmless':
      return [fault('Unsupported', `${place} has no effect ${field.remedy === undefined ? unmissed : `here: ${field.remedy}`}`, false)]
    case 'restricts':
      return [restrictingFault(field.reason, place, field.remedy)]
    case 'done':
      if (typeof value !== 'string') return [wrong(place, 'a text')]
      return field.values === undefined || field.values.includes(value) ? [] : leftOut(value, field.otherwise ?? restricts(), place)
    case 'if':
      return field.isSo(value) ? leftOut(value, field.meant, place) : [restrictingFault(undefined, place, field.remedy)]
    case 'list':
      if (!Array.isArray(value)) return [wrong(place, 'a list')]
      return value.flatMap((item, index) => leftOut(item, field.of, `${place}[${index}]`))
    case 'section':
      if (!isRaw(value)) return [wrong(place, 'an object')]
      return Object.entries(value).flatMap(([name, member]) => {
        const row = Object.hasOwn(field.fields, name) ? field.fields[name] : undefined
        return row === undefined ? unknownFault(member, `${place}.${name}`) : leftOut(member, row, `${place}.${name}`)
      })
  }
}

const unmissed = 'yet: leaving it out lets nothing more through'

function unknownFault(value: unknown, place: string): readonly PolicyFault[] {
  return value === undefined || value === null ? [] : [fault('Unsupported', `${place} is not known to mcplex: correct or remove it`, true)]
}

function restrictingFault(
  reason: 'Invalid' | undefined,
  place: string,
  remedy = 'remove it, or wait for a version that does it',
): PolicyFault {
  return reason === undefined
    ? fault('Unsupported', `${place} is not enforced yet: ${remedy}`, true)
    : fault(reason, `${place} is out of place: ${remedy}`, true)
}

function wrong(place: string, type: string): PolicyFault {
  return fault('Invalid', `${place} is not ${type}: correct it`, true)
}

function fault(reason: string, message: string, closes: boolean): PolicyFault {
  return { reason, message, closes }
}

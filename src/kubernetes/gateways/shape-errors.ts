import { isRaw, quantityOf, type Raw, unknownMembers, valueAt } from '../objects/objects.ts'

/** The type that a member of a GatewayParameters must have, if it is there. */
export type Shape =
  | { readonly kind: 'text'; readonly values?: readonly string[]; readonly form?: Form }
  /** A whole number; `max` is by default that of an int32. */
  | { readonly kind: 'whole'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'quantity' }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'map'; readonly of: Shape; readonly keys: Form }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, Shape>> }

/** What a text must look like. */
export interface Form {
  isMet(text: string): boolean
  /** Its name in messages, such as `the name of a label`. */
  readonly name: string
}

/** What is wrong with a value by its shape: a sentence for each place, such as `spec.replicas`, with the remedy. */
export function shapeErrors(value: unknown, shape: Shape, place: string): readonly string[] {
  if (shape.kind === 'object' && isRaw(value)) {
    return [
      ...unknownMembers(value, Object.keys(shape.fields)).map(
        (name) => `${place}.${name} is not known to this version of mcplex: leave it out`,
      ),
      ...Object.entries(shape.fields).flatMap(([name, field]) => {
        const member = valueAt(value, name)
        return member === undefined ? [] : shapeErrors(member, field, `${place}.${name}`)
      }),
    ]
  }
  if (shape.kind === 'map' && isRaw(value)) {
    return membersOf(value).flatMap(([name, one]) =>
      shape.keys.isMet(name)
        ? shapeErrors(one, shape.of, `${place}.${name}`)
        : [`${place}.${name}: that is not ${shape.keys.name}: correct it`],
    )
  }
  if (shape.kind === 'list' && Array.isArray(value)) return value.flatMap((one, index) => shapeErrors(one, shape.of, `${place}[${index}]`))
  return isLeaf(value, shape) ? [] : [`${place} is not ${nameOf(shape)}: correct it`]
}

function membersOf(value: Raw): readonly (readonly [string, unknown])[] {
  return Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
}

const maxWhole = 2 ** 31 - 1

function isLeaf(value: unknown, shape: Shape): boolean {
  if (shape.kind === 'text')
    return typeof value === 'string' && (shape.values?.includes(value) ?? true) && (shape.form?.isMet(value) ?? true)
  if (shape.kind === 'whole')
    return Number.isInteger(value) && Number(value) >= (shape.min ?? Number.NEGATIVE_INFINITY) && Number(value) <= (shape.max ?? maxWhole)
  return shape.kind === 'quantity' && quantityOf(value) !== undefined
}

function nameOf(shape: Shape): string {
  if (shape.kind === 'text') return shape.values === undefined ? (shape.form?.name ?? 'a text') : `one of ${shape.values.join(', ')}`
  if (shape.kind === 'whole') return shape.min === undefined ? 'a whole number' : `a whole number from ${shape.min}`
  if (shape.kind === 'quantity') return 'a quantity such as 500m, 2 or 512Mi'
  return shape.kind === 'list' ? 'a list' : 'a set of members'
}

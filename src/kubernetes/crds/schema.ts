import type { Raw } from '../objects/objects.ts'

/**
 * Makers of structural schemas (Kubernetes, CustomResourceDefinitions). Objects preserve unknown fields unless they are closed: what an
 * author wrote must reach the controller, which reports what it can't do, and not be pruned by the API server.
 */

/** A rule in CEL, and the sentence that its author reads where it does not hold. */
export interface Rule {
  readonly rule: string
  readonly message: string
}

interface Common {
  readonly rules?: readonly Rule[]
}

interface TextOptions extends Common {
  readonly min?: number
  readonly max?: number
  readonly values?: readonly string[]
  readonly format?: string
}

export function text(description: string, { rules, min = 1, max = 253, values, format }: TextOptions = {}): Raw {
  const bounds = values === undefined && format === undefined ? { ...(min === 0 ? {} : { minLength: min }), maxLength: max } : {}
  return {
    description,
    type: 'string',
    ...(values ? { enum: values } : {}),
    ...(format ? { format } : {}),
    ...bounds,
    ...validations(rules),
  }
}

/** At most 2³¹−1, which clients read as an int32. */
export function integer(description: string, { min = 0, max }: { readonly min?: number; readonly max?: number } = {}): Raw {
  return { description, type: 'integer', format: 'int32', minimum: min, ...(max === undefined ? {} : { maximum: max }) }
}

/** A list. Where `keys` are given, it is a map list with these keys, which several field managers can share; otherwise it is atomic. */
interface ListOptions extends Common {
  readonly keys?: readonly string[]
  readonly min?: number
  readonly max: number
}

export function list(description: string, items: Raw, { rules, keys, min = 0, max }: ListOptions): Raw {
  const kind =
    keys === undefined ? { 'x-kubernetes-list-type': 'atomic' } : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys }
  return { description, type: 'array', ...(min === 0 ? {} : { minItems: min }), maxItems: max, items, ...kind, ...validations(rules) }
}

interface ObjectOptions extends Common {
  readonly required?: readonly string[]
  readonly isClosed?: boolean
}

export function object(description: string, properties: Raw, { rules, required = [], isClosed = false }: ObjectOptions = {}): Raw {
  return {
    description,
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties,
    ...(isClosed ? {} : keepsUnknown),
    ...validations(rules),
  }
}

/** An object of which nothing is checked. */
export function anything(description: string): Raw {
  return { description, type: 'object', ...keepsUnknown }
}

export function labels(description: string): Raw {
  return { description, type: 'object', additionalProperties: { type: 'string' } }
}

export function exactlyOne(members: readonly string[], message: string): Rule {
  return { rule: `${countOf(members)} == 1`, message }
}

export function atMostOne(members: readonly string[], message: string): Rule {
  return { rule: `${countOf(members)} <= 1`, message }
}

export function atLeastOne(members: readonly string[], message: string): Rule {
  return { rule: `${countOf(members)} >= 1`, message }
}

/** The rule that a text matches a regular expression, which must be one for RE2 too and have no quotes. */
export function matches(pattern: string, message: string): Rule {
  return { rule: `self.matches(r'${pattern}')`, message }
}

function countOf(members: readonly string[]): string {
  // In CEL a reserved word is written between double underscores.
  const has = members.map((name) => `has(self.${name === 'namespace' ? '__namespace__' : name})`)
  return `[${has.join(', ')}].filter(x, x).size()`
}

const keepsUnknown = { 'x-kubernetes-preserve-unknown-fields': true } as const

function validations(rules: readonly Rule[] = []): Raw {
  return rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }
}

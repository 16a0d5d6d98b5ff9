import type { ProblemCode } from '../problems/problems.ts'

/** Who wrote a document. It decides which names are allowed and whether the document may hold secrets. */
export type Origin = 'file' | 'kubernetes'

/** What is wrong with a value; `text` completes a sentence that begins with the value. */
export interface Fault {
  readonly code?: ProblemCode
  readonly text: string
  readonly hint?: string
  /** The index of the wrong character in the value, from 0; absent: all of it. */
  readonly at?: number
}

export interface TextShape {
  readonly kind: 'text'
  /** Its name in the reference, such as `duration`. */
  readonly label: string
  readonly pattern?: RegExp
  readonly hint?: string
  /** A pattern for editors, where `fault` makes the exact check. */
  readonly editorPattern?: RegExp
  /** What a right value looks like, for editors and people. */
  readonly examples?: readonly string[]
  /** Checks what `pattern` can't express. */
  readonly fault?: (value: string, origin: Origin) => Fault | undefined
  readonly isSecret?: boolean
}

/**
 * A value's type, bounds and meaning. The validation, the defaults, the JSON Schema and the reference page are all made from one table of
 * these.
 */
export type Shape =
  | TextShape
  | { readonly kind: 'number'; readonly isInteger: boolean; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' }
  /** `later`: the values that this version refuses. */
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly later: readonly string[] }
  /** `later`: a second item is refused with this hint. */
  | { readonly kind: 'list'; readonly item: Shape; readonly min: number; readonly later?: string }
  | { readonly kind: 'map'; readonly names: TextShape; readonly value: Shape }
  | ObjectShape
  /** The first one whose JSON type fits counts. */
  | { readonly kind: 'either'; readonly of: readonly Shape[] }
  | { readonly kind: 'json' }

export interface ObjectShape {
  readonly kind: 'object'
  readonly title: string
  readonly keys: Readonly<Record<string, Key>>
  readonly rules: readonly KeyRule[]
  /** Whether keys that begin with `x-` are accepted and ignored: documents can put there what YAML aliases repeat elsewhere. */
  readonly hasExtensions?: boolean
}

/** A condition on keys of the same object. */
export type KeyRule =
  | { readonly kind: 'one-of'; readonly keys: readonly string[] }
  | { readonly kind: 'excludes'; readonly key: string; readonly others: readonly string[] }
  | { readonly kind: 'needs'; readonly key: string; readonly other: string }

/** A Shape whose values are of type T; it ties the tables of keys to the interfaces of the model. */
export type Schema<T> = Shape & { readonly type?: T }

export interface Key<T = unknown> {
  readonly schema: Schema<T>
  readonly about: string
  /** Whether it must be written. */
  readonly isRequired?: boolean
  /** The value where it isn't written; the schema fills in its own defaults in turn. */
  readonly default?: unknown
  /** What may stand there, where its schema doesn't show it. */
  readonly examples?: readonly unknown[]
  /** The default holds only where this other key is written. */
  readonly beside?: string
  /** The hint with which this version refuses the key, unless it has its default value: what to do instead. */
  readonly later?: string
}

/** A key for each member of T, with a schema of the member's type. */
export type Keys<T> = { readonly [K in keyof T]-?: Key<NonNullable<T[K]>> }

type TextOptions = Omit<TextShape, 'kind' | 'label'>

export function text(label: string, options: TextOptions = {}): Schema<string> {
  return { kind: 'text', label, ...options }
}

export function secret(label: string, options: TextOptions = {}): Schema<string> {
  return { kind: 'text', label, ...options, isSecret: true }
}

export function integer(min: number, max: number): Schema<number> {
  return { kind: 'number', isInteger: true, min, max }
}

export function number(min: number, max: number): Schema<number> {
  return { kind: 'number', isInteger: false, min, max }
}

export const boolean: Schema<boolean> = { kind: 'boolean' }

export const json: Schema<Readonly<Record<string, unknown>>> = { kind: 'json' }

export function choice<const V extends string>(values: readonly V[], later: readonly NoInfer<V>[] = []): Schema<V> {
  return { kind: 'choice', values, later }
}

export function list<T>(item: Schema<T>, options: { readonly min?: number; readonly later?: string } = {}): Schema<readonly T[]> {
  return { kind: 'list', item, min: 0, ...options }
}

export function map<T>(names: Schema<string>, value: Schema<T>): Schema<Readonly<Record<string, T>>> {
  if (names.kind !== 'text') throw new TypeError('names are texts')
  return { kind: 'map', names, value }
}

export function either<A, B>(first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return { kind: 'either', of: [first, second] }
}

export function object<T>(title: string, keys: Keys<T>, rules: readonly KeyRule[] = []): Schema<T> & ObjectShape {
  return { kind: 'object', title, keys: keys as Readonly<Record<string, Key>>, rules }
}

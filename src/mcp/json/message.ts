/** A member of an object, by offsets into the scanned text: `"key": value` is text.slice(keyStart, end), the value text.slice(start, end). */
export interface Member {
  /** The key after its escapes were resolved. */
  readonly key: string
  readonly keyStart: number
  readonly start: number
  readonly end: number
  readonly type: ValueType
}

/** An array's element, by offsets into the scanned text. */
export interface Element {
  readonly start: number
  readonly end: number
  readonly type: ValueType
}

export type ValueType = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null'

/** Bounds of one document: how deep arrays and objects may nest, and how many values and keys there may be. */
export interface JsonLimits {
  readonly depth: number
  readonly tokens: number
}

/**
 * Why a document is refused. `text` says what is wrong and at which offset; it quotes no more of the document than the first characters of
 * a key.
 */
export interface JsonFault {
  readonly kind: 'fault'
  readonly fault: 'encoding' | 'syntax' | 'not-object' | 'not-array' | 'repeated-key' | 'too-deep' | 'too-many-tokens'
  readonly text: string
}

/** One JSON-RPC message: the members of its envelope's objects. Everything else in it was checked and skipped. */
export interface Message {
  readonly kind: 'message'
  readonly text: string
  readonly top: readonly Member[]
  /** Members of `params`, where it is an object. */
  readonly params: readonly Member[] | undefined
  /** Members of `params._meta`, where it is an object. */
  readonly meta: readonly Member[] | undefined
  /** Members of `result`, where it is an object. */
  readonly result: readonly Member[] | undefined
}

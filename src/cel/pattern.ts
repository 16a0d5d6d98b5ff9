import { RE2JS, RE2JSException } from 're2js'

/** Longest text that is matched, in characters: a text beyond it is an error, not a mismatch. */
export const maxMatched = 65_536
/** Bounds of a pattern that is written in a rule: characters, and instructions that it compiles to. */
const maxLength = 1024
const maxSize = 5000
/** Longest pattern that an expression may compute, in characters. */
const maxComputedLength = 256

export interface PatternFault {
  readonly kind: 'fault'
  readonly text: string
}

/** A compiled pattern (RE2 syntax), which may match anywhere in a text. Matching takes time linear in the text's length times `size`. */
export interface Pattern {
  readonly kind: 'pattern'
  readonly size: number
  isIn(text: string): boolean
}

/** Compiles a pattern that is written in a rule, or says what is wrong with it. */
export function compilePattern(source: string): Pattern | PatternFault {
  if (source.length > maxLength) return { kind: 'fault', text: `a pattern is longer than ${maxLength} characters` }
  try {
    const compiled = RE2JS.compile(source)
    const size = compiled.programSize()
    if (size > maxSize) return { kind: 'fault', text: 'a pattern is too large: repeat less often' }
    return { kind: 'pattern', size, isIn: (text) => compiled.test(text) }
  } catch (error) {
    if (error instanceof RE2JSException) return { kind: 'fault', text: `a pattern can't be read: ${error.message}` }
    throw error
  }
}

/** Compiles a pattern that an expression computed. It may have no counted repetitions, which make a short pattern large. */
export function compileComputed(source: string): Pattern | PatternFault {
  if (source.length > maxComputedLength) return { kind: 'fault', text: `a computed pattern is longer than ${maxComputedLength} characters` }
  if (source.includes('{')) return { kind: 'fault', text: 'a computed pattern holds `{`' }
  const read = compilePattern(source)
  // The pattern is not quoted, as it may be a caller's.
  return read.kind === 'fault' ? { kind: 'fault', text: "a computed pattern can't be read" } : read
}

import { RE2JS, RE2JSException } from 're2js'

/** Longest text that is matched, in characters: a text beyond it is an error, not a mismatch. */
export const maxMatched = 65_536
/** Longest pattern, in characters. */
const maxPattern = 1024

export interface PatternFault {
  readonly kind: 'fault'
  readonly text: string
}

/** A pattern (RE2 syntax) that takes time linear in the text; found anywhere in it. */
export interface Pattern {
  readonly kind: 'pattern'
  isIn(text: string): boolean
}

/** Compiles a pattern, or says what is wrong with it. */
export function compilePattern(source: string): Pattern | PatternFault {
  if (source.length > maxPattern) return { kind: 'fault', text: `a pattern is longer than ${maxPattern} characters` }
  try {
    const compiled = RE2JS.compile(source)
    return { kind: 'pattern', isIn: (text) => compiled.test(text) }
  } catch (error) {
    if (error instanceof RE2JSException) return { kind: 'fault', text: `a pattern can't be read: ${error.message}` }
    throw error
  }
}

import { EvaluationError, ParseError, TypeError as TypeFault } from '@marcbachmann/cel-js'
import { callFault } from './calls.ts'
import { languages } from './language.ts'
import { nameFault } from './names.ts'
import { readExpression } from './syntax.ts'
import { variables } from './vocabulary.ts'

/** Where an expression stands: `access` speaks of caller and request alone, `item` of a tool, prompt or resource too. */
export type Scope = 'access' | 'item'

/** What is wrong with an expression, as the end of a sentence that begins with it; `at` is the character to blame. */
export interface ExpressionFault {
  readonly code: 'cel-syntax' | 'cel-unknown-variable' | 'cel-type'
  readonly text: string
  readonly hint?: string
  readonly at: number
}

/** Says what is wrong with an expression; undefined: it yields true or false, and all that it names exists. */
export function expressionFault(text: string, scope: Scope): ExpressionFault | undefined {
  const expr = readExpression(text)
  if (expr.kind === 'fault') return { code: 'cel-syntax', text: expr.text, at: expr.at }
  return nameFault(expr, variables[scope]) ?? callFault(expr, variables[scope]) ?? typeFault(text, scope)
}

function typeFault(text: string, scope: Scope): ExpressionFault | undefined {
  const checked = languages[scope].environment.check(text)
  if (!checked.valid) return { code: 'cel-type', ...typeWords(checked.error) }
  // What an issuer or a caller wrote is of no type until it is there.
  if (checked.type === 'bool' || checked.type === 'dyn' || checked.type === 'dyn<bool>') return undefined
  const hint = 'compare it with something: a rule says true or false'
  return { code: 'cel-type', text: `yields ${checked.type ?? 'something else'}, not true or false`, hint, at: text.search(/\S/) }
}

function typeWords(error: unknown): { readonly text: string; readonly at: number } {
  if (error instanceof RangeError) return { text: 'is nested too deeply', at: 0 }
  const isTyped = error instanceof TypeFault || error instanceof ParseError || error instanceof EvaluationError
  if (!isTyped) throw error
  const at = error.range?.start ?? 0
  const said = error.summary
  const operator = /^no such overload: (.*)$/.exec(said)?.[1]
  if (operator !== undefined) return { text: `has no meaning for these types: ${operator}`, at }
  const call = /^found no matching overload for '(.*)'$/.exec(said)?.[1]
  if (call !== undefined) return { text: `calls a function with values of the wrong types: ${call}`, at }
  return { text: `does not fit together: ${said.charAt(0).toLowerCase()}${said.slice(1)}`, at }
}

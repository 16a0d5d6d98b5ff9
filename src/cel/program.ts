import { EvaluationError } from '@marcbachmann/cel-js'
import type { Facts } from './facts.ts'
import type { Language } from './language.ts'
import { metered } from './metered.ts'
import { no, yes } from './specialise.ts'
import { type Expr, printExpression } from './syntax.ts'

/** The result of a rule. A value that is neither true nor false is a failure too. */
export type Truth = boolean | Failure

export interface Failure {
  readonly kind: 'failure'
  /** The end of a sentence that begins with the rule. */
  readonly why: string
}

/** A compiled expression. It never throws. */
export type Program = (facts: Facts) => Truth

/** Compiles an expression. One that can't be compiled gives a program that always fails; `expressionFault` says why. */
export function compileProgram(expr: Expr, language: Language): Program {
  if (expr === yes) return () => true
  if (expr === no) return () => false
  try {
    const parsed = language.environment.parse(printExpression(metered(expr)))
    return parsed.check().valid ? runOf(parsed, language) : uncompiled
  } catch {
    return uncompiled
  }
}

function runOf(parsed: (facts: Facts) => unknown, { budget }: Language): Program {
  return (facts) => {
    budget.begin()
    try {
      const result: unknown = parsed(facts)
      if (budget.isSpent) return tooMuch
      return typeof result === 'boolean' ? result : notBoolean
    } catch (error) {
      return budget.isSpent ? tooMuch : { kind: 'failure', why: reasonOf(error) }
    }
  }
}

const cannotCompile: Failure = { kind: 'failure', why: "can't be compiled" }
/** The program for an expression that can't be compiled: it always fails. */
export const uncompiled: Program = () => cannotCompile

const tooMuch: Failure = { kind: 'failure', why: 'looks through too much' }
const notBoolean: Failure = { kind: 'failure', why: 'yields neither true nor false' }
const maxReason = 200

/** Why an evaluation failed, without values of a caller's that the evaluator may quote. */
function reasonOf(error: unknown): string {
  if (!(error instanceof EvaluationError)) return 'could not be evaluated'
  const said = error.summary
  switch (error.code) {
    case 'no_such_key': {
      const key = /^No such key: (.*)$/s.exec(said)?.[1]
      return key === undefined || !/^[\w.:/-]{1,100}$/.test(key) ? 'names what is not there' : `names \`${key}\`, which is not there`
    }
    case 'index_out_of_bounds':
      return 'names an element that is not there'
    case 'no_such_overload':
      return `has no meaning for these types: ${said.replace(/^no such overload: /, '').slice(0, maxReason)}`
    case 'no_matching_overload':
      return `calls a function with values of the wrong types: ${(/'(.*)'/s.exec(said)?.[1] ?? '').replace('_(', '(').slice(0, maxReason)}`
    case 'bool_conversion_error':
      return 'takes a text for true or false that is neither'
    default:
      return said.slice(0, maxReason)
  }
}

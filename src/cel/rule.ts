import { EvaluationError } from '@marcbachmann/cel-js'
import type { Facts, ItemFacts } from './facts.ts'
import { type Language, languages } from './language.ts'
import { metered } from './metered.ts'
import { referencesOf } from './references.ts'
import { type ItemKind, no, specialise, withoutArguments, withServerOnly, yes } from './specialise.ts'
import { type Expr, printExpression, readExpression } from './syntax.ts'

export type Effect = 'allow' | 'deny' | 'require'

/** What came of asking a rule. A value that is neither true nor false is a failure too. */
export type Truth = boolean | Failure

export interface Failure {
  readonly kind: 'failure'
  /** The end of a sentence that begins with the rule. */
  readonly why: string
}

/** An expression over caller and request. */
export interface AccessRule {
  readonly text: string
  /** Whether what it says depends on the request, and not on the caller alone. */
  readonly needsRequest: boolean
  holds(facts: Facts): Truth
}

/** An expression over caller, request and what is asked for. */
export interface ItemRule {
  readonly text: string
  readonly needsRequest: boolean
  readonly needsMethod: boolean
  /** What it says of one kind of item; compiled when first asked for. */
  about(kind: ItemKind): KindRule
}

/** A rule as it stands for one kind of item. What speaks of another kind is false in it. */
export interface KindRule {
  /** Whether a call's arguments can make a difference. */
  readonly needsArguments: boolean
  /** In the caller's favour wherever it speaks of arguments. */
  atBest(facts: ItemFacts): Truth
  /** Against the caller wherever it speaks of arguments: where this one is in his favour, no arguments are needed. */
  atWorst(facts: ItemFacts): Truth
  withArguments(facts: ItemFacts): Truth
  /** In the caller's favour wherever it speaks of anything but kind, server and method. */
  ofServer(facts: ItemFacts): Truth
}

/** @throws Error where `expressionFault` finds one */
export function compileAccess(text: string): AccessRule {
  const expr = read(text)
  return { text, needsRequest: needsRequest(expr), holds: program(expr, languages.access) }
}

/** @throws Error where `expressionFault` finds one */
export function compileRule(text: string, effect: Effect): ItemRule {
  const expr = read(text)
  const compiled = new Map<ItemKind, KindRule>() // three at most
  return {
    text,
    needsRequest: needsRequest(expr),
    needsMethod: referencesOf(expr).some(
      ({ root, keys }) => root === 'mcp' && (keys[0]?.name === 'method' || keys[0]?.name === 'methodName'),
    ),
    about(kind) {
      const known = compiled.get(kind) ?? compileFor(expr, effect, kind)
      compiled.set(kind, known)
      return known
    },
  }
}

function compileFor(expr: Expr, effect: Effect, kind: ItemKind): KindRule {
  const favour = effect !== 'deny'
  const best = specialise(expr, { kind, isUnknown: withoutArguments, assumed: favour })
  const worst = specialise(expr, { kind, isUnknown: withoutArguments, assumed: !favour })
  const atBest = program(best, languages.item)
  const ofServer = program(specialise(expr, { kind, isUnknown: withServerOnly, assumed: favour }), languages.item)
  if (printExpression(best) === printExpression(worst)) {
    return { needsArguments: false, atBest, atWorst: atBest, withArguments: atBest, ofServer }
  }
  return {
    needsArguments: true,
    atBest,
    atWorst: program(worst, languages.item),
    withArguments: program(specialise(expr, { kind, isUnknown: () => false, assumed: favour }), languages.item),
    ofServer,
  }
}

function read(text: string): Expr {
  const expr = readExpression(text)
  if (expr.kind === 'fault') throw new Error(`a rule that was not checked ${expr.text}`)
  return expr
}

function needsRequest(expr: Expr): boolean {
  return referencesOf(expr).some(({ root }) => root === 'request' || root === 'source')
}

function program(expr: Expr, language: Language): (facts: Facts) => Truth {
  if (expr === yes) return () => true
  if (expr === no) return () => false
  const parsed = language.environment.parse(printExpression(metered(expr)))
  const checked = parsed.check()
  if (!checked.valid) throw new Error(`a rule that was not checked: ${checked.error?.message}`)
  const { budget } = language
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

const tooMuch: Failure = { kind: 'failure', why: 'looks through too much' }
const notBoolean: Failure = { kind: 'failure', why: 'yields neither true nor false' }
const maxReason = 200

/** The evaluator's reason in words, without values of a caller's that it may quote. */
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

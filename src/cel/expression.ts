import { hash } from 'node:crypto'
import { EvaluationError, ParseError, TypeError as TypeFault } from '@marcbachmann/cel-js'
import { callFault } from './call-fault.ts'
import type { ExpressionFault } from './fault.ts'
import { languages } from './language.ts'
import { metered } from './metered.ts'
import { nameFault } from './names.ts'
import { type Effect, stagesOf } from './rule.ts'
import type { ItemKind } from './specialise.ts'
import { type Expr, partsOf, printExpression, readExpression } from './syntax.ts'
import { variables } from './vocabulary.ts'

/** Where an expression stands. In `access` it can name the caller and the request, in `item` a tool, prompt or resource too. */
export type Scope = 'access' | 'item'

const effects: readonly Effect[] = ['allow', 'deny'] // a `require` compiles as an `allow` does
const kinds: readonly ItemKind[] = ['tools', 'prompts', 'resources']

/** How many valid expressions are remembered, as documents repeat their rules and are read again and again. */
const maxSound = 10_000
/** Digests of valid expressions. An expression itself could be a slice that keeps its whole document in memory. */
const sound = new Set<string>()

/**
 * What is wrong with an expression. Undefined means that it yields a boolean, that all names in it exist, and that rules made of it
 * compile.
 */
export function expressionFault(text: string, scope: Scope): ExpressionFault | undefined {
  const digest = hash('sha256', Buffer.from(`${scope} ${text}`, 'utf16le'), 'base64')
  if (sound.has(digest)) return undefined
  const fault = findFault(text, scope)
  if (fault !== undefined) return fault
  const [oldest] = sound.size === maxSound ? sound : []
  if (oldest !== undefined) sound.delete(oldest)
  sound.add(digest)
  return undefined
}

function findFault(text: string, scope: Scope): ExpressionFault | undefined {
  try {
    const expr = readExpression(text)
    if (expr.kind === 'fault') return { code: 'cel-syntax', text: expr.text, ...operatorHint(text, expr.at), at: expr.at }
    const names = variables[scope]
    return nameFault(expr, names) ?? callFault(expr, names) ?? typeFault(text, scope) ?? compileFault(expr, text, scope)
  } catch (error) {
    return { code: 'cel-type', ...typeWords(error, startOf(text)) }
  }
}

/** A hint for an operator of another language: the one that CEL has in its place. */
function operatorHint(text: string, at: number): { readonly hint?: string } {
  const written = /^(?:=>|[=&|]|(?:and|or)\b)/.exec(text.slice(at, at + 8))?.[0]
  const meant = written === undefined ? undefined : operators[written]
  return meant === undefined ? {} : { hint: `did you mean \`${meant}\`?` }
}

const operators: Readonly<Record<string, string>> = { '=>': '>=', '=': '==', '&': '&&', '|': '||', and: '&&', or: '||' }

function typeFault(text: string, scope: Scope): ExpressionFault | undefined {
  const checked = languages[scope].environment.check(text)
  if (!checked.valid) return { code: 'cel-type', ...typeWords(checked.error, startOf(text)) }
  // Claims and arguments have no type (`dyn`) before they are evaluated.
  if (checked.type === 'bool' || checked.type === 'dyn' || checked.type === 'dyn<bool>') return undefined
  const hint = 'compare it with something: a rule says true or false'
  return { code: 'cel-type', text: `yields ${checked.type ?? 'something else'}, not true or false`, hint, at: startOf(text) }
}

/**
 * Checks what is compiled, which differs from what is written: some functions are replaced by ours, and each kind of item has a form of its
 * own.
 */
function compileFault(expr: Expr, text: string, scope: Scope): ExpressionFault | undefined {
  const seen = new Set<string>()
  for (const form of formsOf(expr, scope)) {
    const compiled = metered(form)
    const printed = printExpression(compiled)
    if (seen.has(printed)) continue
    seen.add(printed)
    const checked = languages[scope].environment.check(printed)
    if (checked.valid) continue
    const { text: words, at } = typeWords(checked.error, 0)
    return { code: 'cel-type', text: words, at: placeOf(compiled, printed, at) ?? startOf(text) }
  }
  return undefined
}

function formsOf(expr: Expr, scope: Scope): readonly Expr[] {
  if (scope === 'access') return [expr]
  const stages = effects.flatMap((effect) => kinds.map((kind) => stagesOf(expr, effect, kind)))
  return stages.flatMap(({ best, ofServer, given }) =>
    given === undefined ? [best, ofServer] : [best, ofServer, given.worst, given.exact],
  )
}

/**
 * The place in the written expression that a place in the printed one comes from: that of the part which begins there, or last before it.
 */
function placeOf(compiled: Expr, printed: string, at: number): number | undefined {
  const read = readExpression(printed)
  if (read.kind === 'fault') return undefined
  let nearest = { printedAt: -1, at: 0 }
  const look = (shown: Expr, own: Expr): void => {
    if (shown.at <= at && shown.at > nearest.printedAt) nearest = { printedAt: shown.at, at: own.at }
    const ownParts = partsOf(own)
    for (const [index, part] of partsOf(shown).entries()) {
      const ownPart = ownParts[index]
      if (ownPart !== undefined) look(part, ownPart)
    }
  }
  look(read, compiled)
  return nearest.printedAt === -1 ? undefined : nearest.at
}

function startOf(text: string): number {
  return Math.max(text.search(/\S/), 0)
}

function typeWords(error: unknown, start: number): { readonly text: string; readonly at: number } {
  if (error instanceof RangeError) return { text: 'is nested too deeply', at: 0 }
  const isTyped = error instanceof TypeFault || error instanceof ParseError || error instanceof EvaluationError
  if (!isTyped) return { text: "can't be checked", at: start }
  const at = error.range?.start ?? start
  const said = error.summary
  const operator = /^no such overload: (.*)$/.exec(said)?.[1]
  if (operator !== undefined) return { text: `has no meaning for these types: ${operator}`, at }
  const call = /^found no matching overload for '(.*)'$/.exec(said)?.[1]
  if (call !== undefined) return { text: `calls a function with values of the wrong types: ${call.replace('_(', '(')}`, at }
  return { text: `does not fit together: ${said.charAt(0).toLowerCase()}${said.slice(1)}`, at }
}

import { nearest } from '../mcp/mcp.ts'
import { AddressRange } from './address-range.ts'
import type { ExpressionFault } from './fault.ts'
import { compilePattern } from './pattern.ts'
import { type Expr, isLiteralList, partsOf } from './syntax.ts'
import { constants, functions, itemMethods, methods, type Shape } from './vocabulary.ts'

/** How deep loops over values from callers may nest, and how deep a `? :` may nest in the condition of another. */
const maxLoops = 2
const maxQuestions = 3

/** The first fault from the left: a function that doesn't exist, or a loop or a literal argument that isn't allowed. */
export function callFault(expr: Expr, variables: Readonly<Record<string, Shape>>): ExpressionFault | undefined {
  return faultIn(expr, { variables, loops: 0, questions: 0 })
}

interface Place {
  readonly variables: Readonly<Record<string, Shape>>
  readonly loops: number
  readonly questions: number
}

function faultIn(expr: Expr, place: Place): ExpressionFault | undefined {
  if (expr.kind === 'call') return callFaultIn(expr, place)
  if (expr.kind === 'choice') {
    if (place.questions === maxQuestions) return { code: 'cel-type', text: 'asks within questions of `? :` too deeply', at: expr.at }
    return faultIn(expr.test, { ...place, questions: place.questions + 1 }) ?? faultIn(expr.yes, place) ?? faultIn(expr.no, place)
  }
  const own = expr.kind === 'binary' ? methodFault(expr) : undefined
  return own ?? firstFault(partsOf(expr), place)
}

function firstFault(parts: readonly Expr[], place: Place): ExpressionFault | undefined {
  for (const part of parts) {
    const fault = faultIn(part, place)
    if (fault !== undefined) return fault
  }
  return undefined
}

function callFaultIn(call: Expr & { kind: 'call' }, place: Place): ExpressionFault | undefined {
  const known = call.on === undefined ? functions : methods
  const callable = known.get(call.name)
  if (callable === undefined) return unknownFunction(call)
  if (!callable.takes.includes(call.args.length)) {
    const text = `gives ${call.name}() ${call.args.length} arguments, which takes ${callable.takes.join(' or ')}`
    return { code: 'cel-type', text, at: call.at }
  }
  const onFault = call.on === undefined ? undefined : faultIn(call.on, place)
  if (onFault !== undefined) return onFault
  if (callable.isLoop !== true) return literalFault(call) ?? firstFault(call.args, place)
  const [variable, ...bodies] = call.args
  if (variable?.kind !== 'name') {
    return {
      code: 'cel-type',
      text: `needs a new name in ${call.name}()`,
      hint: `as in x.${call.name}(each, …)`,
      at: variable?.at ?? call.at,
    }
  }
  if (Object.hasOwn(place.variables, variable.name) || constants.has(variable.name)) {
    return { code: 'cel-type', text: `gives a loop's variable the name \`${variable.name}\`, which is taken`, at: variable.at }
  }
  const loops = place.loops + (isLiteralList(call.on) ? 0 : 1)
  if (loops > maxLoops) {
    return { code: 'cel-type', text: `nests loops deeper than ${maxLoops}`, hint: 'a call could make it work without end', at: call.at }
  }
  return firstFault(bodies, { ...place, loops })
}

function unknownFunction(call: Expr & { kind: 'call' }): ExpressionFault {
  const text = `calls \`${call.name}\`, which does not exist`
  const [other, example] = call.on === undefined ? [methods, `x.${call.name}(…)`] : [functions, `${call.name}(…)`]
  const names = [...(call.on === undefined ? functions : methods).keys()]
  const near = nearest(call.name, names)
  const alike = names.filter((name) => name.slice(0, 3).toLowerCase() === call.name.slice(0, 3).toLowerCase())
  const known = near === undefined ? `known: ${(alike.length > 0 ? alike : names).join(', ')}` : `did you mean \`${near}\`?`
  const hint = other.has(call.name) ? `write ${example}` : known
  return { code: 'cel-unknown-variable', text, hint, at: call.at }
}

/** Checks literal arguments. A duration must be one, since reading it takes more than linear time. */
function literalFault(call: Expr & { kind: 'call' }): ExpressionFault | undefined {
  const [arg] = call.args
  if (arg === undefined) return undefined
  const literal = arg.kind === 'value' && arg.value.kind === 'text' ? arg.value.text : undefined
  if (call.on === undefined && call.name === 'duration' && literal === undefined) {
    return { code: 'cel-type', text: 'computes a duration', hint: 'write it: duration("1h")', at: call.at }
  }
  if (literal === undefined) return undefined
  if (call.on === undefined && call.name === 'cidr' && AddressRange.read(literal) === undefined) {
    return { code: 'cel-type', text: 'names no range of addresses', hint: 'such as cidr("10.0.0.0/8")', at: arg.at }
  }
  if (call.on !== undefined && call.name === 'matches') {
    const pattern = compilePattern(literal)
    if (pattern.kind === 'fault') return { code: 'cel-syntax', text: `has a bad pattern: ${pattern.text}`, at: arg.at }
  }
  return undefined
}

/** A comparison with a method by which no item is used: it could never hold, whatever its author meant. */
function methodFault(expr: Expr & { kind: 'binary' }): ExpressionFault | undefined {
  const { left, right } = expr
  if (!['==', '!=', 'in'].includes(expr.op)) return undefined
  const others = isMethod(left) ? [right] : isMethod(right) && expr.op !== 'in' ? [left] : []
  const values = others.flatMap((other) => (other.kind === 'list' && expr.op === 'in' ? other.items : [other]))
  for (const value of values) {
    if (value.kind !== 'value' || value.value.kind !== 'text' || itemMethods.includes(value.value.text)) continue
    const hint = `one of ${itemMethods.join(', ')}; what lists show follows from what may be used`
    return { code: 'cel-type', text: `compares the method with \`${value.value.text}\`, about which no rule is asked`, hint, at: value.at }
  }
  return undefined
}

function isMethod(expr: Expr): boolean {
  const key = expr.kind === 'select' ? expr.key : undefined
  return expr.kind === 'select' && expr.of.kind === 'name' && expr.of.name === 'mcp' && (key === 'method' || key === 'methodName')
}

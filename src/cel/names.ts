import { nearest } from '../mcp/mcp.ts'
import type { ExpressionFault } from './fault.ts'
import { type Reference, referencesOf } from './references.ts'
import type { Expr } from './syntax.ts'
import { constants, type Shape, secretHeaders } from './vocabulary.ts'

/** The first name from the left that doesn't exist. */
export function nameFault(expr: Expr, variables: Readonly<Record<string, Shape>>): ExpressionFault | undefined {
  for (const reference of referencesOf(expr)) {
    const fault = referenceFault(reference, variables)
    if (fault !== undefined) return fault
  }
  return undefined
}

function referenceFault(reference: Reference, variables: Readonly<Record<string, Shape>>): ExpressionFault | undefined {
  if (constants.has(reference.root)) return undefined
  let shape = Object.hasOwn(variables, reference.root) ? variables[reference.root] : undefined
  if (shape === undefined) {
    const text = `names the variable \`${reference.root}\`, which does not exist here`
    return { code: 'cel-unknown-variable', text, hint: known(variables, reference.root), at: reference.at }
  }
  let path = reference.root
  for (const key of reference.keys) {
    if (shape.kind === 'leaf') return leafFault(shape.type, path, key.name, key.at)
    const inner: Shape | undefined = Object.hasOwn(shape.fields, key.name) ? shape.fields[key.name] : undefined
    if (inner === undefined) {
      const text = `names \`${key.name}\`, which \`${path}\` does not have`
      return { code: 'cel-unknown-variable', text, hint: known(shape.fields, key.name), at: key.at }
    }
    shape = inner
    path += `.${key.name}`
  }
  if (shape.kind === 'leaf' && shape.type === 'Headers') return wholeHeadersFault(reference)
  // In `has()` a name need not lead to a value, but it must lead to a field.
  if (shape.kind === 'leaf' || (reference.isAsked && reference.keys.length > 0)) return undefined
  const at = reference.keys.at(-1)?.at ?? reference.at
  return {
    code: 'cel-type',
    text: `takes \`${path}\` for a value`,
    hint: `name one of its fields: ${Object.keys(shape.fields).join(', ')}`,
    at,
  }
}

function leafFault(type: string, path: string, key: string, at: number): ExpressionFault | undefined {
  if (type === 'string') {
    return { code: 'cel-unknown-variable', text: `names \`${key}\`, which \`${path}\` does not have: it is a text`, at }
  }
  if (type !== 'Headers' || !secretHeaders.has(key.toLowerCase())) return undefined
  const hint = 'speak of what has been verified: jwt, apiKey, source'
  return { code: 'cel-unknown-variable', text: `names the header \`${key}\`, which rules do not see: it holds credentials`, hint, at }
}

/** Refuses all headers as one value. Headers are looked up by name; a loop over them would find none, whatever was sent. */
function wholeHeadersFault(reference: Reference): ExpressionFault | undefined {
  if (reference.isComputed || reference.isAsked || reference.isSearched) return undefined
  const at = reference.keys.at(-1)?.at ?? reference.at
  const hint = 'name one, as in request.headers["x-team"], or ask for one: "x-team" in request.headers'
  return { code: 'cel-type', text: 'takes all headers for a value', hint, at }
}

function known(names: Readonly<Record<string, unknown>>, written: string): string {
  const near = nearest(written, Object.keys(names))
  const all = `known here: ${Object.keys(names).join(', ')}`
  return near === undefined ? all : `did you mean \`${near}\`? ${all}`
}

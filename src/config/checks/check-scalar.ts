import { nearest } from '../../mcp/mcp.ts'
import type { Origin, Shape, TextShape } from '../schema/schema.ts'
import type { Path, Tree } from '../tree/tree.ts'
import { isLiteral, resolveReferences } from '../values/values.ts'
import type { Checking } from './checking.ts'
import { quote } from './quote.ts'
import { blank, jsonTypeFits, typeName, wrongType } from './wrong-type.ts'

type ScalarShape = Extract<Shape, { kind: 'text' | 'number' | 'boolean' | 'choice' }>

/** Checks a text, number, boolean or choice, which may be written as a reference. Returns its value as `check` does. */
export function checkScalar(tree: Tree, shape: ScalarShape, path: Path, context: Checking): unknown {
  const { report, from, origin } = context
  if (tree.kind !== 'scalar' || tree.value === undefined) return wrongType(tree, shape, path, report)
  const written = tree.value
  if (typeof written !== 'string') {
    if (!jsonTypeFits(tree, shape)) return wrongType(tree, shape, path, report)
    return checkValue(written, String(written), shape, path, context)
  }
  const isSecret = shape.kind === 'text' && shape.isSecret === true
  const resolved = resolveReferences(written, from, context.onFile)
  if (resolved.kind === 'fault' && resolved.code !== 'bad-value' && context.onUnresolved !== undefined) {
    context.onUnresolved(path)
    return isSecret ? written : blank(shape)
  }
  if (resolved.kind === 'fault') {
    report(resolved.code, path, 'value', `the value ${resolved.text}`, resolved.hint)
    return blank(shape)
  }
  if (isSecret) {
    const fault = textFault(resolved.value, shape, origin)
    if (fault !== undefined) report(fault.code ?? 'bad-value', path, 'value', `the secret ${fault.text}`, fault.hint)
    if (origin === 'file' && isLiteral(written)) {
      report(
        'plain-secret',
        path,
        'value',
        'a secret stands in the document itself',
        'write ${VAR} or ${file:PATH} and keep the secret there',
      )
    }
    return written
  }
  const isReferring = resolved.value !== written
  const value = isReferring ? scalarFrom(resolved.value, shape) : written
  if (!(shape.kind === 'text' || shape.kind === 'choice') && typeof value === 'string') {
    if (!isReferring) return wrongType(tree, shape, path, report)
    report('bad-value', path, 'value', `what \`${quote(written)}\` stands for is not ${typeName(shape)}`, 'correct the variable or file')
    return blank(shape)
  }
  return checkValue(value, written, shape, path, context)
}

/** @param written what problems quote, which is never the value behind a reference */
function checkValue(
  value: string | number | boolean,
  written: string,
  shape: ScalarShape,
  path: Path,
  { report, origin }: Checking,
): unknown {
  const bad = (text: string, hint?: string): unknown => {
    report('bad-value', path, 'value', `\`${quote(written)}\` ${text}`, hint)
    return blank(shape)
  }
  if (shape.kind === 'number' && typeof value === 'number') {
    if (shape.isInteger && !Number.isSafeInteger(value)) return bad('is not a whole number', 'write it without a point')
    if (!(value >= shape.min && value <= shape.max)) return bad('is out of bounds', `write a number from ${shape.min} to ${shape.max}`)
  } else if (shape.kind === 'choice' && typeof value === 'string') {
    if (!shape.values.includes(value)) return bad(`is not one of ${shape.values.join(', ')}`, didYouMean(value, shape.values))
    if (shape.later.includes(value)) {
      const now = shape.values.filter((one) => !shape.later.includes(one))
      report('not-supported', path, 'value', `\`${value}\` is not supported yet`, `use ${now.join(' or ')}; a later version brings it`)
      return blank(shape)
    }
  } else if (shape.kind === 'text' && typeof value === 'string') {
    const fault = textFault(value, shape, origin)
    if (fault !== undefined) {
      report(fault.code ?? 'bad-value', path, 'value', `\`${quote(written)}\` ${fault.text}`, fault.hint, fault.at)
      return blank(shape)
    }
  }
  return value
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates)
  return near === undefined ? `write one of ${candidates.join(', ')}` : `did you mean \`${near}\`?`
}

/** What is wrong with the content of a text; undefined where nothing is. */
export function textFault(value: string, shape: TextShape, origin: Origin): ReturnType<NonNullable<TextShape['fault']>> {
  if (shape.pattern !== undefined && !shape.pattern.test(value)) {
    return { text: `is not a ${shape.label}`, ...(shape.hint === undefined ? {} : { hint: shape.hint }) }
  }
  return shape.fault?.(value, origin)
}

/** Converts the text behind a reference to the type that the key takes, as if it had been written there. */
function scalarFrom(value: string, shape: ScalarShape): string | number | boolean {
  if (shape.kind === 'number' && /^-?[0-9]+(?:\.[0-9]+)?$/.test(value)) return Number(value)
  if (shape.kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

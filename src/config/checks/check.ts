import { isDeepStrictEqual } from 'node:util'
import type { ProblemCode } from '../problems/problems.ts'
import { nearest } from '../problems/problems.ts'
import type { Key, ObjectShape, Origin, Shape, TextShape } from '../schema/schema.ts'
import { type Path, plain, type Tree } from '../tree/tree.ts'
import { isLiteral, type ReferenceSource, resolveReferences } from '../values/values.ts'

/** Tells of a problem at a path as written; `what` says whether the key or the value there is to blame, `at` which character of the value. */
export type Report = (code: ProblemCode, path: Path, what: 'key' | 'value', text: string, hint?: string, at?: number) => void

export interface Checking {
  readonly from: ReferenceSource
  readonly origin: Origin
  readonly report: Report
  readonly onFile: (path: string) => void
}

/**
 * Checks a document against a schema and reports all that is wrong with its parts. Returns its value with references resolved, secrets
 * kept as written and no defaults; in the place of a wrong part stands one of the right type, so that the whole can be looked at further.
 */
export function check(tree: Tree, shape: Shape, path: Path, context: Checking): unknown {
  const { report } = context
  switch (shape.kind) {
    case 'json':
      return plain(tree)
    case 'either': {
      const fitting = shape.of.find((one) => jsonTypeFits(tree, one))
      if (fitting !== undefined) return check(tree, fitting, path, context)
      return wrongType(tree, shape, path, report)
    }
    case 'list':
      if (tree.kind !== 'list') return wrongType(tree, shape, path, report)
      if (tree.items.length < shape.min) report('bad-value', path, 'value', 'the list is empty', 'write at least one item')
      if (shape.later !== undefined && tree.items.length > 1) {
        report('not-supported', [...path, 1], 'value', 'more than one item is not supported yet', shape.later)
        return tree.items.slice(0, 1).map((item) => check(item, shape.item, [...path, 0], context))
      }
      return tree.items.map((item, index) => check(item, shape.item, [...path, index], context))
    case 'map': {
      if (tree.kind !== 'map') return wrongType(tree, shape, path, report)
      return Object.fromEntries(
        [...tree.entries].map(([key, entry]) => {
          const here = [...path, key]
          const fault = textFault(key, shape.names, context.origin)
          if (fault !== undefined) report(fault.code ?? 'bad-value', here, 'key', `\`${quote(key)}\` ${fault.text}`, fault.hint)
          return [key, check(entry.value, shape.value, here, context)]
        }),
      )
    }
    case 'object':
      return tree.kind === 'map' ? checkObject(tree, shape, path, context) : wrongType(tree, shape, path, report)
    default:
      return checkScalar(tree, shape, path, context)
  }
}

type MapTree = Extract<Tree, { kind: 'map' }>
type ScalarShape = Extract<Shape, { kind: 'text' | 'number' | 'boolean' | 'choice' }>

function checkObject(tree: MapTree, shape: ObjectShape, path: Path, context: Checking): unknown {
  const { report } = context
  const value: [string, unknown][] = []
  for (const [written, entry] of tree.entries) {
    const key = Object.hasOwn(shape.keys, written) ? shape.keys[written] : undefined
    const here = [...path, written]
    if (key === undefined) {
      const near = nearest(written, Object.keys(shape.keys))
      const known = near === undefined ? `known here: ${Object.keys(shape.keys).join(', ')}` : `did you mean \`${near}\`?`
      report('unknown-key', here, 'key', `there is no key \`${quote(written)}\` here`, known)
    } else if (key.later !== undefined && !isDeepStrictEqual(plain(entry.value), key.default)) {
      report('not-supported', here, 'key', `\`${written}\` is not supported yet`, key.later)
      // Kept as it is: that it was written counts for what is said about other keys.
      value.push([written, plain(entry.value)])
    } else {
      value.push([written, check(entry.value, key.schema, here, context)])
    }
  }
  for (const [name, key] of Object.entries(shape.keys)) {
    if (!key.isRequired || tree.entries.has(name)) continue
    report('missing-key', [...path, name], 'value', `\`${name}\` is missing`, key.about)
    value.push([name, blank(key.schema)])
  }
  checkRules(tree, shape, path, report)
  return Object.fromEntries(value)
}

function checkRules(tree: MapTree, shape: ObjectShape, path: Path, report: Report): void {
  const isWritten = (key: string): boolean => tree.entries.has(key)
  const conflict = (key: string, other: string): void =>
    report('conflicting-keys', [...path, key], 'key', `\`${key}\` can't stand beside \`${other}\``, 'keep one of the two')
  for (const rule of shape.rules) {
    if (rule.kind === 'one-of') {
      const [first, ...more] = rule.keys.filter(isWritten)
      for (const key of more) conflict(key, first ?? '')
      if (first !== undefined) continue
      const [usual = ''] = rule.keys
      const able = rule.keys.filter((key) => shape.keys[key]?.later === undefined)
      report(
        'missing-key',
        [...path, usual],
        'value',
        `\`${usual}\` is missing`,
        `write ${able.map((key) => `\`${key}\``).join(' or ')} here`,
      )
    } else if (rule.kind === 'excludes') {
      if (isWritten(rule.key)) for (const other of rule.others.filter(isWritten)) conflict(other, rule.key)
    } else if (isWritten(rule.key) && !isWritten(rule.other)) {
      report(
        'missing-key',
        [...path, rule.other],
        'value',
        `\`${rule.key}\` needs \`${rule.other}\` beside it`,
        shape.keys[rule.other]?.about,
      )
    }
  }
}

function checkScalar(tree: Tree, shape: ScalarShape, path: Path, context: Checking): unknown {
  const { report, from, origin } = context
  if (tree.kind !== 'scalar' || tree.value === undefined) return wrongType(tree, shape, path, report)
  const written = tree.value
  if (typeof written !== 'string') {
    if (!jsonTypeFits(tree, shape)) return wrongType(tree, shape, path, report)
    return checkValue(written, String(written), shape, path, context)
  }
  const isSecret = shape.kind === 'text' && shape.isSecret === true
  const resolved = resolveReferences(written, from, context.onFile)
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

/** @param written what problems quote: never what a reference stands for */
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

function textFault(value: string, shape: TextShape, origin: Origin): ReturnType<NonNullable<TextShape['fault']>> {
  if (shape.pattern !== undefined && !shape.pattern.test(value)) {
    return { text: `is not a ${shape.label}`, ...(shape.hint === undefined ? {} : { hint: shape.hint }) }
  }
  return shape.fault?.(value, origin)
}

/** A reference's text as the scalar that the key takes, as if it had been written there. */
function scalarFrom(value: string, shape: ScalarShape): string | number | boolean {
  if (shape.kind === 'number' && /^-?[0-9]+(?:\.[0-9]+)?$/.test(value)) return Number(value)
  if (shape.kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function jsonTypeFits(tree: Tree, shape: Shape): boolean {
  switch (shape.kind) {
    case 'json':
      return true
    case 'either':
      return shape.of.some((one) => jsonTypeFits(tree, one))
    case 'list':
      return tree.kind === 'list'
    case 'map':
    case 'object':
      return tree.kind === 'map'
    case 'number':
      return tree.kind === 'scalar' && (typeof tree.value === 'number' || isReference(tree.value))
    case 'boolean':
      return tree.kind === 'scalar' && (typeof tree.value === 'boolean' || isReference(tree.value))
    default:
      return tree.kind === 'scalar' && typeof tree.value === 'string'
  }
}

function isReference(value: unknown): boolean {
  return typeof value === 'string' && value.includes('${')
}

function wrongType(tree: Tree, shape: Shape, path: Path, report: Report): unknown {
  const found = tree.kind !== 'scalar' ? `a ${tree.kind}` : tree.value === undefined ? 'empty' : `a ${scalarName(tree.value)}`
  report('wrong-type', path, 'value', `the value is ${found}, but ${typeName(shape)} is needed`, remedy(tree, shape))
  return blank(shape)
}

function scalarName(value: string | number | boolean): string {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean'
}

function remedy(tree: Tree, shape: Shape): string {
  if (tree.kind === 'scalar' && tree.value === undefined) {
    return shape.kind === 'map' || shape.kind === 'object'
      ? 'write {} for an empty one, or leave the key out'
      : 'write a value, or leave the key out'
  }
  if (shape.kind === 'list') return 'write [ … ] or lines that begin with -'
  if (shape.kind === 'text' && tree.kind === 'scalar')
    return shape.label === 'duration' || shape.label === 'size' ? 'write it with its unit' : 'put it in quotes'
  if (shape.kind === 'number') return 'write it without quotes'
  return `write ${typeName(shape)}`
}

function typeName(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.label === 'text' ? 'a text' : `a text (${shape.label})`
    case 'number':
      return shape.isInteger ? 'a whole number' : 'a number'
    case 'boolean':
      return 'true or false'
    case 'choice':
      return shape.values.length === 1 ? `\`${shape.values[0]}\`` : `one of ${shape.values.join(', ')}`
    case 'list':
      return 'a list'
    case 'map':
    case 'object':
      return 'a map'
    case 'either':
      return shape.of.map(typeName).join(' or ')
    case 'json':
      return 'a value'
  }
}

/** A value of the right type that stands for one that was wrong. */
function blank(shape: Shape): unknown {
  switch (shape.kind) {
    case 'number':
      return shape.min
    case 'boolean':
      return false
    case 'choice':
      return shape.values[0]
    case 'list':
      return []
    case 'map':
      return {}
    case 'object':
      return Object.fromEntries(
        Object.entries(shape.keys)
          .filter(([, key]) => key.isRequired)
          .map(([name, key]: [string, Key]) => [name, blank(key.schema)]),
      )
    case 'either':
      return shape.of[0] === undefined ? undefined : blank(shape.of[0])
    default:
      return ''
  }
}

/** What a document's author wrote, short and without what a URL may hide before its @. */
function quote(written: string): string {
  const shown = written.replace(/\/\/\S*@/g, '//…@').replace(/\s+/g, ' ')
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown
}

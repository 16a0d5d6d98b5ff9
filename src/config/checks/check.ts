import { isDeepStrictEqual } from 'node:util'
import { nearest } from '../../mcp/mcp.ts'
import type { ObjectShape, Shape } from '../schema/schema.ts'
import { type Path, plain, type Tree } from '../tree/tree.ts'
import { checkScalar, textFault } from './check-scalar.ts'
import type { Checking, Report } from './checking.ts'
import { quote } from './quote.ts'
import { blank, jsonTypeFits, wrongType } from './wrong-type.ts'

/**
 * Checks a document against a schema and reports everything that is wrong with its parts. Returns its value with references resolved,
 * secrets kept as written, and no defaults. A wrong part is replaced by a blank value of the right type, so that the rest can still be
 * checked.
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

function checkObject(tree: MapTree, shape: ObjectShape, path: Path, context: Checking): unknown {
  const { report } = context
  const value: [string, unknown][] = []
  for (const [written, entry] of tree.entries) {
    const key = Object.hasOwn(shape.keys, written) ? shape.keys[written] : undefined
    const here = [...path, written]
    if (key === undefined && shape.hasExtensions && written.startsWith('x-')) continue
    if (key === undefined) {
      const near = nearest(written, Object.keys(shape.keys))
      const known = near === undefined ? `known here: ${Object.keys(shape.keys).join(', ')}` : `did you mean \`${near}\`?`
      report('unknown-key', here, 'key', `there is no key \`${quote(written)}\` here`, known)
    } else if (key.later !== undefined && !isDeepStrictEqual(plain(entry.value), key.default)) {
      report('not-supported', here, 'key', `\`${written}\` is not supported yet`, key.later)
      // Kept, since checks of other keys depend on whether it was written.
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

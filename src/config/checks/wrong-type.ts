import type { Key, Shape } from '../schema/schema.ts'
import type { Path, Tree } from '../tree/tree.ts'
import type { Report } from './checking.ts'

/** Whether a value has the JSON type of a shape. A text with a reference may stand for a number or a boolean. */
export function jsonTypeFits(tree: Tree, shape: Shape): boolean {
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

/** Reports a value of the wrong type; returns a blank one of the right type. */
export function wrongType(tree: Tree, shape: Shape, path: Path, report: Report): unknown {
  const found = tree.kind !== 'scalar' ? `a ${tree.kind}` : tree.value === undefined ? 'empty' : `a ${scalarName(tree.value)}`
  report('wrong-type', path, 'value', `the value is ${found}, but ${typeName(shape)} is needed`, remedy(tree, shape))
  return blank(shape)
}

function scalarName(value: string | number | boolean): string {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean'
}

const units: Readonly<Record<string, string>> = { duration: 's', size: 'MiB' }

function remedy(tree: Tree, shape: Shape): string {
  if (tree.kind === 'scalar' && tree.value === undefined) {
    return shape.kind === 'map' || shape.kind === 'object'
      ? 'write {} for an empty one, or leave the key out'
      : 'write a value, or leave the key out'
  }
  if (shape.kind === 'list') return 'write [ … ] or lines that begin with -'
  if (shape.kind === 'text' && tree.kind === 'scalar')
    return shape.label in units && typeof tree.value === 'number'
      ? `write it with its unit, such as ${tree.value}${units[shape.label]}`
      : 'put it in quotes'
  if (shape.kind === 'number') return 'write it without quotes'
  return `write ${typeName(shape)}`
}

/** A shape's type in words. */
export function typeName(shape: Shape): string {
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

/** A blank value of the right type, in place of a wrong one. */
export function blank(shape: Shape): unknown {
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

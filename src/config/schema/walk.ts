import { isDeepStrictEqual } from 'node:util'
import { isPlain } from '../tree/tree.ts'
import type { Key, Shape } from './shape.ts'

/** Functions that walk over plain values of checked documents along their schema. */

type Plain = Readonly<Record<string, unknown>>

/** The value with all defaults filled in. */
export function fillDefaults(value: unknown, shape: Shape): unknown {
  return walk(value, shape, {
    object: (members, keys) => {
      const filled: [string, unknown][] = []
      for (const [name, key] of Object.entries(keys)) {
        const isFilled = key.beside === undefined || members[key.beside] !== undefined
        const written = members[name] ?? (isFilled ? key.default : undefined)
        if (written !== undefined) filled.push([name, fillDefaults(written, key.schema)])
      }
      return Object.fromEntries(filled)
    },
  })
}

/** The inverse of `fillDefaults`: it leaves out what that fills in. */
export function dropDefaults(value: unknown, shape: Shape): unknown {
  return walk(value, shape, {
    object: (members, keys) => {
      const kept: [string, unknown][] = []
      for (const [name, key] of Object.entries(keys)) {
        const member = members[name]
        if (member === undefined) continue
        if (key.default !== undefined && isDeepStrictEqual(member, fillDefaults(key.default, key.schema))) continue
        kept.push([name, dropDefaults(member, key.schema)])
      }
      return Object.fromEntries(kept)
    },
  })
}

/** The value with each of its texts changed by `change`, which is told whether the text is a secret. */
export function mapTexts(value: unknown, shape: Shape, change: (text: string, isSecret: boolean) => string): unknown {
  return walk(value, shape, {
    object: (members, keys) =>
      Object.fromEntries(
        Object.entries(members).map(([name, member]) => {
          const key = keys[name]
          return [name, key === undefined ? member : mapTexts(member, key.schema, change)]
        }),
      ),
    text: (text, isSecret) => change(text, isSecret),
  })
}

interface Visitor {
  readonly object: (members: Plain, keys: Readonly<Record<string, Key>>) => unknown
  readonly text?: (text: string, isSecret: boolean) => unknown
}

function walk(value: unknown, shape: Shape, visitor: Visitor): unknown {
  switch (shape.kind) {
    case 'list':
      return Array.isArray(value) ? value.map((item) => walk(item, shape.item, visitor)) : value
    case 'map':
      return isPlain(value)
        ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, shape.value, visitor)]))
        : value
    case 'object':
      return isPlain(value) ? visitor.object(value, shape.keys) : value
    case 'either': {
      const fitting = shape.of.find((one) => (one.kind === 'object' || one.kind === 'map') === isPlain(value))
      return fitting === undefined ? value : walk(value, fitting, visitor)
    }
    case 'text':
      return typeof value === 'string' && visitor.text !== undefined ? visitor.text(value, shape.isSecret === true) : value
    default:
      return value
  }
}

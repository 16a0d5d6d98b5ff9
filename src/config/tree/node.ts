import type { Path } from './path.ts'

/** A document's value with the place of every part, as offsets into its text. */
export type Tree =
  | { readonly kind: 'scalar'; readonly at: number; readonly end: number; readonly value: Scalar }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly at: number; readonly entries: ReadonlyMap<string, Entry> }

export type Scalar = string | number | boolean | undefined

export interface Entry {
  readonly keyAt: number
  readonly value: Tree
}

/** The offset of the key or value that a path leads to, or of the nearest part around it that was written. */
export function locate(tree: Tree, path: Path, what: 'key' | 'value'): number {
  let at = tree.at
  let here = tree
  for (const [index, part] of path.entries()) {
    const entry = here.kind === 'map' && typeof part === 'string' ? here.entries.get(part) : undefined
    const next = entry?.value ?? (here.kind === 'list' && typeof part === 'number' ? here.items[part] : undefined)
    if (next === undefined) return at
    const isLast = index === path.length - 1
    at = entry !== undefined && !(isLast && what === 'value') ? entry.keyAt : next.at
    here = next
  }
  return at
}

/** The value without places. Keys such as `__proto__` become own keys like any other. */
export function plain(tree: Tree): unknown {
  switch (tree.kind) {
    case 'scalar':
      return tree.value
    case 'list':
      return tree.items.map(plain)
    case 'map':
      return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plain(entry.value)]))
  }
}

/** A plain value as a tree without places. What JSON can't represent is left out. */
export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', at: 0, items: value.map(treeOf) }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined)
    return { kind: 'map', at: 0, entries: new Map(entries.map(([key, member]) => [key, { keyAt: 0, value: treeOf(member) }])) }
  }
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return { kind: 'scalar', at: 0, end: 0, value: isScalar ? value : undefined }
}

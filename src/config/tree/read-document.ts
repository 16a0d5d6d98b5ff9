import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import type { Problem, ProblemCode } from '../problems/problems.ts'
import type { Entry, Tree } from './node.ts'
import { formatPath, type Path } from './path.ts'
import { syntaxWords } from './syntax-words.ts'

const maxDepth = 64

/**
 * Limits of a document: bytes of its text, and parts (maps, lists and scalars) after its aliases were followed. Without the second, a few
 * nested aliases could produce an endless document.
 */
export const documentBounds = { bytes: 2 * 1024 * 1024, parts: 200_000 } as const

export interface Place {
  readonly line: number
  readonly column: number
}

export interface Reading {
  /** Undefined where nothing could be read. Where there are problems, it is what the parser could make of the text. */
  readonly tree: Tree | undefined
  readonly problems: readonly Problem[]
  readonly placeOf: (offset: number) => Place
}

/**
 * Reads YAML 1.2 (core schema with the merge key `<<` of YAML 1.1, no tags of its own) or JSON, within bounds of size, depth and aliases.
 * Never throws.
 */
export function readDocument(text: string): Reading {
  const lines = new LineCounter()
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return line === 0 ? { line: 1, column: 1 } : { line, column: col }
  }
  const problems: Problem[] = []
  const report = (code: ProblemCode, at: number, path: Path, text: string, hint: string): void => {
    problems.push({ code, path: formatPath(path), ...placeOf(at), text, hint, severity: 'error' })
  }
  if (Buffer.byteLength(text) > documentBounds.bytes) {
    report('too-large', 0, [], 'the document is larger than 2 MiB', 'split it, or generate less')
    return { tree: undefined, problems, placeOf }
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  })
  if (document.errors.some((error) => error.code === 'RESOURCE_EXHAUSTION')) {
    report('too-large', 0, [], 'the document is nested too deeply', `use at most ${maxDepth} levels`)
    return { tree: undefined, problems, placeOf }
  }
  const stumbled = new Set<number>()
  for (const error of document.errors) {
    // The library goes on after an error, and may report the same place again.
    if (stumbled.has(error.pos[0])) continue
    stumbled.add(error.pos[0])
    const { text, hint } = syntaxWords(error)
    report('yaml-syntax', error.pos[0], [], text, hint)
  }
  // Guessing at the meaning of broken text would cause misleading problems: only what is broken is reported.
  if (problems.length > 0) return { tree: undefined, problems, placeOf }
  try {
    const tree = document.contents === null ? emptyDocument : treeOf(document.contents, report)
    return { tree, problems, placeOf }
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    report('too-large', error.at, [], error.message, 'write less, or use fewer aliases')
    return { tree: undefined, problems, placeOf }
  }
}

const emptyDocument: Tree = { kind: 'map', at: 0, entries: new Map() }

class TooLarge extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

type Report = (code: ProblemCode, at: number, path: Path, text: string, hint: string) => void

const coreTags = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`))

/**
 * Makes a tree of the library's nodes, following aliases.
 * @throws TooLarge
 */
function treeOf(root: Node, report: Report): Tree {
  const anchors = new Map<string, Node>()
  const targets = new Map<Alias, Node | undefined>()
  let parts = 0
  /** Merge keys around what is being read: each is a level, although no path has it. */
  let merges = 0

  const build = (node: unknown, path: Path): Tree => {
    const at = startOf(node)
    parts++
    if (parts > documentBounds.parts) throw new TooLarge(at, 'the document has too many parts once its aliases are followed')
    if (path.length + merges > maxDepth) throw new TooLarge(at, 'the document is nested too deeply, or an alias leads back to itself')
    if (isAlias(node)) {
      const target = build(targetOf(node, path), path)
      return target.kind === 'scalar' ? { ...target, at, end: node.range?.[1] ?? at } : { ...target, at }
    }
    if (!isScalar(node) && !isSeq(node) && !isMap(node)) return { kind: 'scalar', at, end: at, value: undefined }
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
    if (node.tag !== undefined && !coreTags.has(node.tag)) {
      report('yaml-syntax', at, path, 'this tag is not known', 'leave the tag out; quote a text that begins with !')
    }
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item, index) => build(item, [...path, index])) }
    if (isMap(node)) return { kind: 'map', at, entries: entriesOf(node, path) }
    const { value } = node
    const isKept = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    return { kind: 'scalar', at, end: node.range?.[1] ?? at, value: isKept ? value : undefined }
  }

  const entriesOf = (map: YAMLMap, path: Path): ReadonlyMap<string, Entry> => {
    const entries = new Map<string, Entry>()
    const merged = new Set<string>()
    for (const pair of map.items) {
      const keyAt = startOf(pair.key)
      if (isMergeKey(pair.key)) {
        merges++
        const from = build(pair.value, path)
        merges--
        for (const [name, entry] of mergedEntries(from, path)) {
          if (entries.has(name)) continue
          entries.set(name, entry)
          merged.add(name)
        }
        continue
      }
      const key = keyOf(pair.key, path)
      // A key that is written in the map itself takes precedence, wherever the merge key stands.
      if (key !== undefined && merged.delete(key)) entries.delete(key)
      if (key === undefined) {
        report('wrong-type', keyAt, path, 'a key must be a text', 'write a plain word; quote it if it has special characters')
      } else if (entries.has(key)) {
        report('duplicate-key', keyAt, [...path, key], `the key \`${key}\` is there already`, 'keep one of the two')
      } else {
        const value = build(pair.value, [...path, key])
        entries.set(key, { keyAt, value: pair.value === null ? { ...value, at: keyAt } : value })
      }
    }
    return entries
  }

  /**
   * The entries that a merge key adds: those of a map, or of a list of maps, of which the first that has a key counts. They keep the places
   * where they are written.
   */
  const mergedEntries = (from: Tree, path: Path): readonly (readonly [string, Entry])[] => {
    const maps = from.kind === 'list' ? from.items : [from]
    return maps.flatMap((map) => {
      if (map.kind === 'map') return [...map.entries]
      report('wrong-type', map.at, path, '`<<` takes in a map, or a list of maps', 'write `<<: *name`, where `&name` stands before a map')
      return []
    })
  }

  const keyOf = (node: unknown, path: Path): string | undefined => {
    const target = isAlias(node) ? targetOf(node, path) : node
    if (!isScalar(target)) return undefined
    if (target.anchor !== undefined) anchors.set(target.anchor, target)
    return typeof target.value === 'string' ? target.value : target.source
  }

  // An alias refers to the last anchor of its name before it. A node that is repeated by an alias may hold aliases itself: these refer to
  // the same nodes in the repetition as where they are written, also if their anchors have been set anew in between.
  const targetOf = (alias: Alias, path: Path): Node | undefined => {
    if (!targets.has(alias)) {
      targets.set(alias, anchors.get(alias.source))
      if (!anchors.has(alias.source)) {
        report(
          'yaml-syntax',
          startOf(alias),
          path,
          'this alias has no anchor before it',
          'write its anchor (&name) at what it repeats; quote a text that begins with *',
        )
      }
    }
    return targets.get(alias)
  }

  return build(root, [])
}

/** A merge key (yaml.org/type/merge.html); in quotes it is a key like any other. */
function isMergeKey(node: unknown): boolean {
  return isScalar(node) && node.type === 'PLAIN' && node.value === '<<'
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}

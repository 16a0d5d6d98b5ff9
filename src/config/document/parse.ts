import { check, checkWhole, type Report } from '../checks/checks.ts'
import { configSchema, documentSchema, foldName, writtenBy } from '../keys/keys.ts'
import type { Config } from '../model/model.ts'
import { type Problem, problemCodes } from '../problems/problems.ts'
import type { Origin } from '../schema/schema.ts'
import { fillDefaults } from '../schema/schema.ts'
import { formatPath, isPlain, locate, type Path, readDocument, readPath, type Tree, treeOf } from '../tree/tree.ts'
import type { ReferenceSource } from '../values/values.ts'
import { expandWithOrigins } from './expand.ts'

export interface ParseSource extends ReferenceSource {
  /** Who wrote the document; absent: its key `mcplex.dev/version` tells. */
  readonly origin?: Origin
  /** Whether variables that are not set, and unreadable files of `${file:}`, are no problem: the values that refer to them are not checked. */
  readonly skipsUnresolved?: boolean
  /** Replace what the document says. */
  readonly overrides?: Overrides
}

/** Settings of a command line that replace those of a document. */
export interface Overrides {
  /** As the document's key `listen` has it. */
  readonly listen?: string
  readonly logLevel?: string
}

export interface Parsed {
  /** Undefined exactly where a problem is an error. */
  readonly config: Config | undefined
  /** All problems, in the order of their places. */
  readonly problems: readonly Problem[]
  /** The paths of its `${file:}` references, each once, in order: files to watch besides the document. */
  readonly files: readonly string[]
  /** How many values were not checked because what they refer to is not there; 0 without `skipsUnresolved`. */
  readonly unresolved: number
  /** The line and column of a path of the Config, such as `policies.authorize.deny[0]`. */
  readonly placeOf: (path: string) => Pick<Problem, 'line' | 'column'>
}

/**
 * Parses a document, YAML or JSON, in short or long form, and reports everything that is wrong with it. Never throws. Secrets stay
 * references in the Config, but it is checked that they resolve.
 */
export function parseConfig(text: string, from: ParseSource): Parsed {
  const { tree, problems, placeOf } = readDocument(text)
  if (tree === undefined) return { config: undefined, problems: sorted(problems), files: [], unresolved: 0, placeOf: () => ({}) }
  return parseTree(overridden(tree, from.overrides), problems, placeOf, from, text)
}

/** Like `parseConfig` for a document that is a plain value instead of text; its problems have a path and no line. */
export function parsePlain(value: unknown, from: ParseSource): Parsed {
  return parseTree(treeOf(value), [], () => ({}), from)
}

function parseTree(
  tree: Tree,
  found: readonly Problem[],
  placeOf: (offset: number) => Pick<Problem, 'line' | 'column'>,
  from: ParseSource,
  source = '',
): Parsed {
  const problems: Problem[] = [...found]
  const files = new Set<string>()
  const wrong = new Set<string>()
  const report: Report = (code, path, what, text, hint, at) => {
    const { severity } = problemCodes[code]
    const start = locate(tree, path, what)
    // A quoted value begins after its quote; in a value that is folded over lines the place can't be told, so it is the whole value.
    const shift = at === undefined || /[|>&*!]/.test(source[start] ?? '') ? 0 : at + (/["']/.test(source[start] ?? '') ? 1 : 0)
    const place = placeOf(start + shift)
    problems.push({ code, path: formatPath(path), ...place, text, ...(hint === undefined ? {} : { hint }), severity })
    if (severity === 'error') wrong.add(formatPath(path))
  }
  let unresolved = 0
  const onUnresolved = (path: Path): void => {
    unresolved++
    wrong.add(formatPath(path))
  }
  const context = {
    from,
    origin: from.origin ?? originOf(tree),
    report,
    onFile: (path: string) => files.add(path),
    ...(from.skipsUnresolved ? { onUnresolved } : {}),
  }
  const document = check(tree, documentSchema, [], context)
  const short = isPlain(document) ? document : {}
  checkServerKeys(tree, short, report)
  const { long, writtenAt } = expandWithOrigins(short)
  // The value fits the schema except for wrong parts; each of these is an error, and then nobody gets the value.
  const config = fillDefaults(long, configSchema) as Config
  checkWhole(config, (code, path, what, text, hint) => {
    const written = writtenAt(path)
    const isKnown = written.some((_, index) => wrong.has(formatPath(written.slice(0, index + 1))))
    if (!isKnown) report(code, written, what, text, hint)
  })
  const isRefused = problems.some((problem) => problem.severity === 'error')
  return {
    config: isRefused ? undefined : config,
    problems: sorted(problems),
    files: [...files],
    unresolved,
    placeOf: (path) => placeOf(locate(tree, writtenAt(readPath(path)), 'value')),
  }
}

/** The tree with the settings of a command line in it. */
function overridden(tree: Tree, { listen, logLevel }: Overrides = {}): Tree {
  const withListen = listen === undefined ? tree : withScalar(tree, ['listen'], /^\d+$/.test(listen) ? Number(listen) : listen)
  return logLevel === undefined ? withListen : withScalar(withListen, ['observe', 'log', 'level'], logLevel)
}

/** The tree with a scalar at a path of keys, whose place is that of the nearest part that was written. A part on the way that is no map stays. */
function withScalar(tree: Tree, path: readonly string[], value: string | number): Tree {
  const [key, ...rest] = path
  if (key === undefined) return { kind: 'scalar', at: tree.at, end: tree.at, value }
  if (tree.kind !== 'map') return tree
  const known = tree.entries.get(key)
  const inner: Tree = known?.value ?? { kind: 'map', at: tree.at, entries: new Map() }
  const entry = { keyAt: known?.keyAt ?? tree.at, value: withScalar(inner, rest, value) }
  return { ...tree, entries: new Map([...tree.entries, [key, entry]]) }
}

/** The origin of a document: one that says which version wrote it for Kubernetes comes from there, wherever it is stored now. */
function originOf(tree: Tree): Origin {
  return tree.kind === 'map' && tree.entries.has(writtenBy) ? 'kubernetes' : 'file'
}

/** Checks `servers` and `mcpServers` of the short form against each other and against `backends.default`. */
function checkServerKeys(tree: Tree, short: Readonly<Record<string, unknown>>, report: Report): void {
  const servers = isPlain(short.servers) ? short.servers : {}
  const isServed = ['servers', 'mcpServers', 'backends'].some((key) => Object.hasOwn(short, key))
  if (!isServed && tree.kind === 'map')
    report(
      'missing-key',
      ['servers'],
      'value',
      'there are no servers',
      'write `servers: { NAME: URL }`, such as `servers: { math: http://127.0.0.1:8001/mcp }`',
    )
  for (const key of ['servers', 'mcpServers']) {
    if (Object.hasOwn(short, key) && isPlain(short.backends) && Object.hasOwn(short.backends, 'default')) {
      report(
        'conflicting-keys',
        ['backends', 'default'],
        'key',
        `\`${key}\` makes the backend \`default\` already`,
        'call this backend otherwise, or move its servers',
      )
    }
  }
  const folded = new Map<string, string>()
  for (const written of Object.keys(isPlain(short.mcpServers) ? short.mcpServers : {})) {
    const path: Path = ['mcpServers', written]
    const name = foldName(written)
    if (name === undefined) {
      report('bad-name', path, 'key', `\`${written}\` is not a name`, 'use lower-case letters, digits and inner hyphens')
      continue
    }
    const other = folded.get(name)
    if (other !== undefined)
      report('duplicate-name', path, 'key', `\`${written}\` and \`${other}\` both become \`${name}\``, 'change one of them')
    else if (Object.hasOwn(servers, name))
      report('conflicting-keys', path, 'key', `\`servers\` has a \`${name}\` already`, 'keep one of the two')
    else if (name !== written) report('names-fold', path, 'key', `\`${written}\` is called \`${name}\` here`, `its tools are ${name}_…`)
    folded.set(name, written)
  }
}

function sorted(problems: readonly Problem[]): readonly Problem[] {
  const place = (problem: Problem): number => (problem.line ?? 0) * 1e7 + (problem.column ?? 0)
  return problems.toSorted((one, other) => place(one) - place(other))
}

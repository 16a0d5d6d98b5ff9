import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, isMap, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml'
import { kindOf } from './kinds.ts'
import type { KubeObject } from './object.ts'
import { listAt, textAt } from './raw.ts'
import { readObject, refKey, refOf, titleOf } from './world.ts'

/** What is wrong with a file of objects. */
export interface DocumentProblem {
  readonly file: string
  /** Counted from 1; undefined where the file as a whole is meant. */
  readonly line: number | undefined
  readonly text: string
}

export interface ReadObjects {
  readonly objects: readonly KubeObject[]
  readonly problems: readonly DocumentProblem[]
}

interface Found extends Omit<DocumentProblem, 'text'> {
  readonly value: unknown
}

/**
 * The objects of YAML and JSON files, as `kubectl apply -f` reads them: with several documents in a file, lists of objects, and folders,
 * though not the folders inside these. `-` is standard input. Objects without a namespace get the given one. Never throws.
 */
export function readObjects(paths: readonly string[], namespace = 'default'): ReadObjects {
  const readings = paths.flatMap(filesAt).map((file) => (typeof file === 'string' ? readFile(file) : { found: [], problems: [file] }))
  return collect(
    readings.flatMap(({ found }) => found),
    readings.flatMap(({ problems }) => problems),
    namespace,
  )
}

/** The objects of a text, with problems as if it stood in `file`. */
export function readObjectsIn(text: string, file: string, namespace = 'default'): ReadObjects {
  const { found, problems } = readText(text, file)
  return collect(found, problems, namespace)
}

function filesAt(path: string): readonly (string | DocumentProblem)[] {
  if (path === '-') return [path]
  try {
    if (!statSync(path).isDirectory()) return [path]
    const all = readdirSync(path)
    const builder = all.flatMap((name) => builders.get(name) ?? [])[0]
    if (builder !== undefined) return [{ file: path, line: undefined, text: `it is to be built first: ${builder(path)}` }]
    const names = all.filter(
      (name) => /\.(?:ya?ml|json)$/.test(name) && statSync(join(path, name), { throwIfNoEntry: false })?.isFile() !== false,
    )
    if (names.length === 0) return [{ file: path, line: undefined, text: 'no file here ends with .yaml, .yml or .json' }]
    return names.sort().map((name) => join(path, name))
  } catch (error) {
    return [unreadable(path, error)]
  }
}

/** Files by which a folder is recognized as one to be rendered by another tool first, with the command that does it. */
const builders = new Map<string, (path: string) => string>([
  ['kustomization.yaml', (path) => `kubectl kustomize ${path} | mcplex translate -f -`],
  ['kustomization.yml', (path) => `kubectl kustomize ${path} | mcplex translate -f -`],
  ['Chart.yaml', (path) => `helm template ${path} | mcplex translate -f -`],
])

function readFile(file: string): Reading {
  try {
    return readText(readFileSync(file === '-' ? 0 : file, 'utf8'), file === '-' ? 'standard input' : file)
  } catch (error) {
    return { found: [], problems: [unreadable(file, error)] }
  }
}

function unreadable(file: string, error: unknown): DocumentProblem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return { file, line: undefined, text: code === 'ENOENT' ? 'there is no such file' : `it can't be read (${code})` }
}

interface Reading {
  readonly found: readonly Found[]
  readonly problems: readonly DocumentProblem[]
}

function readText(text: string, file: string): Reading {
  const lines = new LineCounter()
  const lineAt = (offset: number): number => lines.linePos(offset).line || 1
  const documents = parseAllDocuments(text, { lineCounter: lines, schema: 'core', prettyErrors: false, logLevel: 'error' })
  const found: Found[] = []
  const problems: DocumentProblem[] = []
  for (const document of Array.isArray(documents) ? documents : []) {
    const [error] = document.errors
    if (error !== undefined) {
      // Some messages end with what was found, which may be a secret.
      problems.push({ file, line: lineAt(error.pos[0]), text: error.message.replace(/: ".*$/s, '') })
      continue
    }
    try {
      found.push(...partsOf(document).map(({ value, at }) => ({ file, line: lineAt(at), value })))
    } catch {
      problems.push({
        file,
        line: lineAt(document.contents?.range[0] ?? document.range[0]),
        text: 'its aliases lead nowhere, or to too much',
      })
    }
  }
  return { found, problems }
}

/** The document itself, or the items of a list. */
function partsOf(document: Document.Parsed): readonly { readonly value: unknown; readonly at: number }[] {
  const { contents } = document
  if (contents === null) return []
  const value: unknown = document.toJS()
  if (value === null) return []
  if (!/List$/.test(textAt(value, 'kind') ?? '') || !isMap(contents)) return [{ value, at: contents.range[0] }]
  const items = contents.get('items', true) as Node | undefined
  const nodes = isSeq(items) ? (items.items as Node[]) : []
  return listAt(value, 'items').map((item, index) => ({ value: item, at: nodes[index]?.range?.[0] ?? contents.range[0] }))
}

function collect(found: readonly Found[], problems: readonly DocumentProblem[], namespace: string): ReadObjects {
  const known = new Map<string, Found & { readonly object: KubeObject }>()
  const more: DocumentProblem[] = []
  for (const one of found) {
    const { file, line, value } = one
    const read = readObject(value)
    if (read === undefined) {
      more.push({ file, line, text: 'it is no Kubernetes object: write apiVersion, kind and metadata.name' })
      continue
    }
    const object = inNamespace(read, namespace)
    const ref = refOf(object)
    const other = known.get(refKey(ref))
    if (other === undefined) known.set(refKey(ref), { ...one, object })
    else more.push({ file, line, text: `${titleOf(ref)} is already in ${other.file}:${other.line}: remove one of the two` })
  }
  return { objects: [...known.values()].map(({ object }) => object), problems: [...problems, ...more] }
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const { group, kind } = refOf(object)
  if (object.metadata.namespace !== undefined || kindOf(group, kind)?.isNamespaced !== true) return object
  return { ...object, metadata: { ...object.metadata, namespace } }
}

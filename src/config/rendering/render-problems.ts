import { nearest } from '../../mcp/mcp.ts'
import { documentSchema } from '../keys/keys.ts'
import type { Problem } from '../problems/problems.ts'
import type { Shape } from '../schema/schema.ts'
import type { Tree } from '../tree/tree.ts'
import { readDocument } from '../tree/tree.ts'
import { isLiteral } from '../values/values.ts'
import { maskBroken } from './mask-broken.ts'

export interface RenderOptions {
  /** The document's name in front of each place. */
  readonly file: string
  readonly color: boolean
}

const maxLine = 120

/**
 * Problems for people: `FILE:LINE:COLUMN error code: text`, the line of the document with a caret under the place, the hint.
 * Literal secrets are masked in the lines shown.
 */
export function renderProblems(problems: readonly Problem[], text: string, { file, color }: RenderOptions): string {
  const lines = maskSecrets(
    text,
    problems.some(({ code }) => code === 'yaml-syntax' || code === 'duplicate-key'),
  ).split(/\r?\n/)
  const paint = (code: number, part: string): string => (color ? `\u001b[${code}m${part}\u001b[0m` : part)
  const blocks = problems.map((problem) => {
    const { line, column = 1, severity, code, hint } = problem
    const place = line === undefined ? file : `${file}:${line}:${column}`
    const head = `${paint(1, place)} ${paint(severity === 'error' ? 31 : 33, severity)} ${code}: ${printable(problem.text)}`
    const source = line === undefined ? undefined : lines[line - 1]
    const shown = source === undefined || source.trim() === '' ? [] : excerpt(source, column, String(line)).map((part) => paint(2, part))
    return [head, ...shown, ...(hint === undefined ? [] : [`  hint: ${printable(hint)}`])].join('\n')
  })
  return blocks.length === 0 ? '' : `${blocks.join('\n')}\n`
}

/** Problems for programs: a JSON array of them. */
export function problemsJson(problems: readonly Problem[]): string {
  return JSON.stringify(problems, undefined, 2)
}

function excerpt(source: string, column: number, line: string): readonly string[] {
  const start = column > maxLine - 20 ? column - maxLine / 2 : 0
  const part = printable(source).slice(start, start + maxLine)
  return [`  ${line} | ${part}`, `  ${' '.repeat(line.length)} | ${' '.repeat(Math.max(0, column - 1 - start))}^`]
}

/** Replaces characters that a terminal would act on; the length stays the same, so that carets point at the right column. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
}

const secretName = /secret|password|authorization|privatekey|sha256|^(?:token|key)$/i

/** The text with dots in place of literal secrets, and of what looks like a secret where the schema doesn't apply. */
function maskSecrets(text: string, isBroken: boolean): string {
  const { tree } = readDocument(text)
  if (tree === undefined) return maskBroken(text)
  const spans: [number, number][] = []
  const visit = (here: Tree, shape: Shape | undefined, isSecret: boolean): void => {
    if (here.kind === 'scalar') {
      const isHidden = isSecret || isInPlaceOfSecrets(shape) || (shape === undefined && looksRandom(here.value))
      if (isHidden && (typeof here.value !== 'string' || isLiteral(here.value))) spans.push([here.at, here.end])
      return
    }
    if (here.kind === 'list') {
      const item = shapeFor(shape, 'list')
      for (const one of here.items) visit(one, item?.kind === 'list' ? item.item : undefined, isSecret || isInPlaceOfSecrets(shape, 'list'))
      return
    }
    const outer = shapeFor(shape, 'map')
    for (const [name, entry] of here.entries) {
      const key = outer?.kind === 'object' && Object.hasOwn(outer.keys, name) ? outer.keys[name] : undefined
      const inner = key?.schema ?? (outer?.kind === 'map' ? outer.value : undefined)
      visit(entry.value, inner, isSecret || isSecretShape(inner) || (inner === undefined && looksSecret(name, outer)))
    }
  }
  visit(tree, documentSchema, false)
  let masked = text
  for (const [from, to] of spans) masked = masked.slice(0, from) + masked.slice(from, to).replace(/[^\r\n]/g, '•') + masked.slice(to)
  masked = masked.replace(/(\/\/)([^\s@]*)(?=@)/g, (_, slashes: string, hidden: string) => slashes + '•'.repeat(hidden.length))
  // The query of a URL often holds an API key.
  masked = masked.replace(/(https?:\/\/[^\s"'?#]*\?)([^\s"'}\],]*)/g, (_, url: string, query: string) => url + '•'.repeat(query.length))
  if (!isBroken) return masked
  return masked.replace(
    /((?:secret|password|token|authorization|key)[\w-]*["']?\s*:[ \t]*)(.+)/gi,
    (_, before: string, hidden: string) => before + '•'.repeat(hidden.length),
  )
}

/** Whether the value of an unknown key is one long word of letters and digits, as keys and tokens are. */
function looksRandom(value: unknown): boolean {
  return typeof value === 'string' && /^[\w+/=.~-]{16,}$/.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value)
}

/**
 * Whether an unknown key may hold a secret: its name looks like that of a secret, or it is probably a misspelling of a key that holds one.
 */
function looksSecret(name: string, outer: Shape | undefined): boolean {
  if (secretName.test(name)) return true
  const meant = outer?.kind === 'object' ? nearest(name, Object.keys(outer.keys)) : undefined
  return outer?.kind === 'object' && meant !== undefined && isSecretShape(outer.keys[meant]?.schema)
}

/**
 * Whether the schema wants an object or a map that holds secrets at a place where a text (or a list) is written instead. What is written
 * there may then be such a secret.
 */
function isInPlaceOfSecrets(shape: Shape | undefined, written: 'text' | 'list' = 'text'): boolean {
  if (shape?.kind === 'object') return Object.values(shape.keys).some((key) => isSecretShape(key?.schema))
  if (shape?.kind === 'map') return isSecretShape(shape.value) || isInPlaceOfSecrets(shape.value)
  return written === 'text' && shape?.kind === 'list' && isInPlaceOfSecrets(shape.item)
}

function isSecretShape(shape: Shape | undefined): boolean {
  return shape?.kind === 'text' && shape.isSecret === true
}

function shapeFor(shape: Shape | undefined, kind: 'list' | 'map'): Shape | undefined {
  const shapes = shape?.kind === 'either' ? shape.of : shape === undefined ? [] : [shape]
  return shapes.find((one) => (kind === 'list' ? one.kind === 'list' : one.kind === 'map' || one.kind === 'object'))
}

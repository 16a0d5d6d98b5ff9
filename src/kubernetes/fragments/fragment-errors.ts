import { type Config, escapeReferences, type Problem, parsePlain } from '../../config/config.ts'
import { type Fault, isRaw, type Raw } from '../objects/objects.ts'

/**
 * A part of a document, in the long form and without defaults. The backends of its agents must be in it too; its routes name no listeners.
 */
export type Fragment = Readonly<Partial<Record<'backends' | 'agents', Raw> & Record<'listeners' | 'routes', readonly Raw[]>>>

/** What `config` finds wrong with a part of a document. Dollars in its texts mean themselves; paths are those of the document. */
export function fragmentErrors(fragment: Fragment): readonly Problem[] {
  return documentErrors(escapeTexts({ 'mcplex.dev/version': '0', listeners: [], backends: {}, routes: [], ...fragment }))
}

/** What `config` finds wrong with a document of `escapeTexts`, with texts as they were before they were escaped. */
export function documentErrors(document: unknown): readonly Problem[] {
  return readDocument(document).errors
}

/** The same, and the Config if nothing is wrong. */
export function readDocument(document: unknown): { readonly config: Config | undefined; readonly errors: readonly Problem[] } {
  const { config, problems } = parsePlain(document, { origin: 'kubernetes', env: {}, readFile: refuseToRead })
  const errors = problems
    .filter((problem) => problem.severity === 'error')
    .map((problem) => ({ ...problem, text: problem.text.replaceAll('$$', '$') }))
  return { config, errors }
}

/** The problem's text and its remedy, without the place. */
export function sentenceOf({ text, hint }: Problem): string {
  return hint === undefined ? text : `${text}: ${hint}`
}

/** The problem as a fault of an object, at the place in that object. */
export function faultOf(problem: Problem, place: string, reason: string): Fault {
  return { reason, message: `${place}: ${sentenceOf(problem)}` }
}

/** The value with the dollars of all its texts escaped, so that a document takes them literally. Keys stay as they are. */
export function escapeTexts(value: unknown): unknown {
  if (typeof value === 'string') return escapeReferences(value)
  if (Array.isArray(value)) return value.map(escapeTexts)
  return isRaw(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escapeTexts(member)])) : value
}

function refuseToRead(path: string): never {
  throw new Error(`${path} is not read: texts of objects hold no references`)
}

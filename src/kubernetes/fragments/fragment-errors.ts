import { type Config, escapeReferences, type Problem, parsePlain } from '../../config/config.ts'
import { type Fault, isRaw, type Raw } from '../objects/objects.ts'

/** A part of a document. An agent's backends must be among its own; routes name none of its listeners. */
export type Fragment = Readonly<Partial<Record<'backends' | 'agents', Raw> & Record<'listeners' | 'routes', readonly Raw[]>>>

/** What is wrong with a part of a document, whose texts mean themselves. Paths are the document's. */
export function fragmentErrors(fragment: Fragment): readonly Problem[] {
  return documentErrors(escapeTexts({ 'mcplex.dev/version': '0', listeners: [], backends: {}, routes: [], ...fragment }))
}

/** What is wrong with a document of `escapeTexts`, told in the texts as they were before. */
export function documentErrors(document: unknown): readonly Problem[] {
  return readDocument(document).errors
}

/** The same, and the Config where there is none. */
export function readDocument(document: unknown): { readonly config: Config | undefined; readonly errors: readonly Problem[] } {
  const { config, problems } = parsePlain(document, { origin: 'kubernetes', env: {}, readFile: refuseToRead })
  const errors = problems
    .filter((problem) => problem.severity === 'error')
    .map((problem) => ({ ...problem, text: problem.text.replaceAll('$$', '$') }))
  return { config, errors }
}

/** What is wrong and the remedy, without the place. */
export function sentenceOf({ text, hint }: Problem): string {
  return hint === undefined ? text : `${text}: ${hint}`
}

/** The problem as a fault, at the place where the object's author wrote it. */
export function faultOf(problem: Problem, place: string, reason: string): Fault {
  return { reason, message: `${place}: ${sentenceOf(problem)}` }
}

/** The same value with each text, though no key, such that a document takes it as it is. */
export function escapeTexts(value: unknown): unknown {
  if (typeof value === 'string') return escapeReferences(value)
  if (Array.isArray(value)) return value.map(escapeTexts)
  return isRaw(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escapeTexts(member)])) : value
}

function refuseToRead(path: string): never {
  throw new Error(`${path} is not read: texts of objects hold no references`)
}

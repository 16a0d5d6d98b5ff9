import { readFileSync } from 'node:fs'
import { type Config, type Parsed, type ParseSource, type Problem, parseConfig, problemsJson, renderProblems } from '../../config/config.ts'
import { hasColor, type Output, type Terminal } from '../terminal/terminal.ts'

/** A configuration file and what was parsed from it; `text` is empty where it could not be read. */
export interface Document extends Parsed {
  readonly path: string
  readonly text: string
  /** With which it is read again. */
  readonly how: ReadingOptions
}

export type ReadingOptions = Pick<ParseSource, 'skipsUnresolved' | 'overrides'>

/** Reads and checks a file. That it can't be read is reported as a problem. */
export function readDocument(path: string, terminal: Pick<Terminal, 'env'>, how: ReadingOptions = {}): Document {
  try {
    return parseDocument(path, readFileSync(path, 'utf8'), terminal, how)
  } catch (error) {
    const problem = { code: 'unreadable-file', path: '', text: reasonOf(error), severity: 'error' } as const satisfies Problem
    return { path, text: '', how, config: undefined, problems: [problem], files: [], unresolved: 0, placeOf: () => ({}) }
  }
}

/** Checks a text as if it were the content of `path`. */
export function parseDocument(path: string, text: string, terminal: Pick<Terminal, 'env'>, how: ReadingOptions = {}): Document {
  return { path, text, how, ...parseConfig(text, { ...sourceAt(path, terminal), ...how }) }
}

/** Where references in a document at `path` are resolved from. */
export function sourceAt(path: string, { env }: Pick<Terminal, 'env'>) {
  return { file: path, env, readFile: (name: string) => readFileSync(name, 'utf8') }
}

/** Adds problems that were found later, with the lines and columns of what they are about. */
export function placed(problems: readonly Problem[], { placeOf }: Pick<Document, 'placeOf'>): readonly Problem[] {
  return problems.map((problem) => (problem.path === '' ? problem : { ...problem, ...placeOf(problem.path) }))
}

/** Prints all problems: as text for people, or as a JSON array. */
export function printProblems(output: Output, document: Document, terminal: Terminal, format: 'text' | 'json'): void {
  const { problems, text, path } = document
  if (format === 'json') output.write(`${problemsJson(problems)}\n`)
  else output.write(renderProblems(problems, text, { file: path, color: hasColor(terminal, output) }))
}

/** A summary of a configuration's size, in words. */
export function summary(config: Config): string {
  const servers = Object.values(config.backends).reduce((sum, backend) => sum + Object.keys(backend.servers).length, 0)
  const counts = [
    [config.listeners.length, 'listener'],
    [servers, 'server'],
    [Object.keys(config.agents).length, 'agent'],
  ] as const
  return counts.map(([count, noun]) => `${count} ${noun}${count === 1 ? '' : 's'}`).join(', ')
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'EACCES') return 'it may not be read'
  return error instanceof Error ? error.message : String(error)
}

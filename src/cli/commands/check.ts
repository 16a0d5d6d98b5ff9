import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { findConfigFile, printConfig, redactConfig } from '../../config/config.ts'
import { type Document, printProblems, readDocument, summary } from '../document/document.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'
import { githubCommands } from './github-commands.ts'

export interface CheckOptions {
  /** Whether to print the long form of the one file, with literal secrets redacted. */
  readonly print: boolean
  /** Whether variables may be unset and files of references unreadable: what they stand for is not checked then. */
  readonly skipsUnresolved: boolean
  readonly output: 'text' | 'json' | 'github'
}

/**
 * `mcplex check`: prints all problems of files, or of the one that `run` would find. Text goes to stderr. On stdout go JSON, an array of
 * problems, each with its `file`, or with `print` an object `{problems, config}`; and workflow commands for GitHub, which mark the lines of a
 * change. A file with only warnings is good.
 */
export function check(files: readonly string[], options: CheckOptions, terminal: Terminal): number {
  const { stdout, stderr } = terminal
  const found = files.length > 0 ? files : foundFile(terminal)
  if (found.length === 0) {
    printLine(stderr, 'error: there is no configuration here: name a file')
    return exitCode.wrongArguments
  }
  const documents = found.map((file) => readDocument(file, terminal, { skipsUnresolved: options.skipsUnresolved }))
  const problems = documents.flatMap((document) => document.problems.map((problem) => ({ file: document.path, ...problem })))
  if (options.output === 'json') {
    const config = documents[0]?.config
    if (options.print) printJson(stdout, { problems, config: config === undefined ? undefined : redactConfig(config) })
    else printJson(stdout, problems)
  } else if (options.output === 'github') {
    // Its files are those of the folder that was checked out.
    const cwd = terminal.cwd()
    stdout.write(githubCommands(problems.map((problem) => ({ ...problem, file: relative(cwd, resolve(cwd, problem.file)) }))))
  } else for (const document of documents) printChecked(document, options, terminal)
  return documents.some(({ config }) => config === undefined) ? exitCode.badConfiguration : exitCode.good
}

function foundFile(terminal: Terminal): readonly string[] {
  const found = findConfigFile({ flag: undefined, env: terminal.env, cwd: terminal.cwd(), exists: existsSync })
  return found === undefined ? [] : [found]
}

function printChecked(document: Document, { print }: CheckOptions, terminal: Terminal): void {
  const { stdout, stderr } = terminal
  const { config, problems, path, unresolved } = document
  printProblems(stderr, document, terminal, 'text')
  if (config === undefined) {
    const errors = problems.filter((problem) => problem.severity === 'error').length
    return printLine(stderr, `${path}: ${errors === 1 ? '1 error' : `${errors} errors`}`)
  }
  const rest = unresolved === 0 ? '' : `; not checked: ${unresolved === 1 ? '1 value' : `${unresolved} values`} of variables and files`
  printLine(stderr, `${path} is good: ${summary(config)}${rest}`)
  if (print) stdout.write(printConfig(redactConfig(config)))
}

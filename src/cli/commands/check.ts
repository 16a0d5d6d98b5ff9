import { printConfig, redactConfig } from '../../config/config.ts'
import { printProblems, readDocument, summary } from '../document/document.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'

export interface CheckOptions {
  /** Whether to print the long form, with literal secrets redacted. */
  readonly print: boolean
  readonly output: 'text' | 'json'
}

/**
 * `mcplex check`: prints all problems of a file. Text goes to stderr; JSON goes to stdout as an array, or with `print` as an object
 * `{problems, config}`. A file with only warnings is good.
 */
export function check(file: string, options: CheckOptions, terminal: Terminal): number {
  const { stdout, stderr } = terminal
  const document = readDocument(file, terminal)
  const { config, problems } = document
  if (options.output === 'json') {
    if (options.print) printJson(stdout, { problems, config: config === undefined ? undefined : redactConfig(config) })
    else printProblems(stdout, document, terminal, 'json')
    return config === undefined ? exitCode.badConfiguration : exitCode.good
  }
  printProblems(stderr, document, terminal, 'text')
  if (config === undefined) {
    const errors = problems.filter((problem) => problem.severity === 'error').length
    printLine(stderr, `${file}: ${errors === 1 ? '1 error' : `${errors} errors`}`)
    return exitCode.badConfiguration
  }
  printLine(stderr, `${file} is good: ${summary(config)}`)
  if (options.print) stdout.write(printConfig(redactConfig(config)))
  return exitCode.good
}

import { type Problem, renderProblems } from '../../config/config.ts'
import type { ProcessLog } from '../../observe/observe.ts'
import { hasColor, type Terminal } from '../terminal/terminal.ts'

export interface SaidDocument {
  /** The document's name in front of each place. */
  readonly path: string
  /** The text to show around each place; empty where it must not be shown or is not known. */
  readonly text: string
  readonly problems: readonly Problem[]
}

/** Most log records of one document's problems, of which a broken one may have any number. */
const maxRecords = 100

/**
 * Reports the problems of a document while a gateway is served: in the form of `check` where the log is text, with the document's lines on a
 * terminal only, else as one log record each.
 */
export function sayProblems({ path, text, problems }: SaidDocument, log: ProcessLog, terminal: Pick<Terminal, 'stderr' | 'env'>): void {
  if (log.format === 'text') {
    // Lines of the document may hold secrets: they are shown to who sits at a terminal, and kept out of what is collected.
    const shown = terminal.stderr.isTTY === true ? text : ''
    log.flush()
    terminal.stderr.write(renderProblems(problems, shown, { file: path, color: hasColor(terminal, terminal.stderr) }))
    return
  }
  for (const { severity, path: place, ...problem } of problems.slice(0, maxRecords))
    log[severity === 'error' ? 'error' : 'warn']({ file: path, place, ...problem }, 'a problem of the configuration')
  const more = problems.length - maxRecords
  if (more > 0) log.warn({ file: path, more }, 'more problems of the configuration: mcplex check says them all')
}

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { findConfigFile, resolveSecret } from '../../config/config.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { type Audit, createLog, createMetrics } from '../../observe/observe.ts'
import { type Document, printProblems, readDocument, sourceAt } from '../document/document.ts'
import { exitCode, printLine, sayWaiting, type Terminal, version } from '../terminal/terminal.ts'

/** A gateway made from a file, which serves no requests but explains what it would do with them. */
export interface Explaining {
  readonly document: Document
  readonly gateway: Gateway
  /** The place in the file, as `FILE:LINE:COLUMN`, of a path of the configuration. */
  where(path: string): string
  close(): Promise<void>
}

/** Opens the gateway of a file, or of the file that `run` would find. Where that fails, prints why on stderr and returns an exit code. */
export async function openExplaining(file: string | undefined, terminal: Terminal): Promise<Explaining | number> {
  const found = findConfigFile({ flag: file, env: terminal.env, cwd: terminal.cwd(), exists: existsSync })
  if (found === undefined) {
    printLine(terminal.stderr, 'error: there is no configuration here: name a file')
    return exitCode.wrongArguments
  }
  const document = readDocument(found, terminal)
  printProblems(terminal.stderr, document, terminal, 'text')
  const { config, path } = document
  if (config === undefined) return exitCode.badConfiguration
  const from = sourceAt(path, terminal)
  const gateway = createGateway(config, {
    info: { name: 'mcplex', version },
    log: createLog({ level: 'error', format: 'auto', color: false, stream: terminal.stderr }),
    metrics: createMetrics(),
    now: () => performance.now(),
    random: randomBytes,
    secret: (reference) => resolveSecret(reference, from),
    openAudit: () => silent,
  })
  const waiting = sayWaiting(
    Object.values(config.backends).flatMap(({ servers }) => Object.keys(servers)),
    terminal,
  )
  await gateway.settled()
  waiting.end()
  return {
    document,
    gateway,
    where(place) {
      const { line, column } = document.placeOf(place)
      return line === undefined ? path : `${path}:${line}:${column ?? 1}`
    },
    close: () => gateway.close(0),
  }
}

/** Explanations are not recorded. */
const silent: Audit = { isOpen: true, faults: [], dropped: 0, write() {}, flush() {}, async close() {} }

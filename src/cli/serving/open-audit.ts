import { dirname, resolve } from 'node:path'
import { allPolicies, type Config, formatPath, type Problem } from '../../config/config.ts'
import { type Audit, type AuditSettings, checkAuditFile, createAudits, type Log, type Metrics } from '../../observe/observe.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface Auditing {
  open(settings: AuditSettings): Audit
  /**
   * The audit files that can't be opened and without which requests would be refused. A file that is in use already is left out: a new
   * document, which may change a rule, must not have to wait for a disk.
   */
  problemsOf(config: Config, inForce: Config | undefined): readonly Problem[]
}

/**
 * Opens audit records; what is buffered is written when the process exits.
 * @param document the path of the configuration, to whose folder the paths of record files are relative; undefined: to the working
 *   directory
 */
export function createAuditing(
  document: string | undefined,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
  terminal: Terminal,
): Auditing {
  const folder = document === undefined ? terminal.cwd() : dirname(resolve(terminal.cwd(), document))
  const audits = createAudits({ now: Date.now, log, stdout: terminal.stdout })
  terminal.on('exit', () => audits.flush())
  metrics.show({ lostRecords: () => audits.dropped, sinks: () => audits.sinks })
  return {
    open(settings) {
      const sinks = settings.sinks.map((sink) => (sink.kind === 'file' ? { ...sink, path: resolve(folder, sink.path) } : sink))
      return audits.open({ ...settings, sinks })
    },
    problemsOf(config, inForce) {
      const used = new Set(inForce === undefined ? [] : filesOf(inForce).map(({ path }) => path))
      return filesOf(config)
        .filter(({ path }) => !used.has(path))
        .flatMap(({ place, path }) => {
          const file = resolve(folder, path)
          const fault = checkAuditFile(file)
          if (fault === undefined) return []
          const text = `records of requests can't be written to ${file}: ${fault.text}`
          return [{ code: 'unwritable-file', severity: 'error', path: place, text, hint: fault.hint } as const]
        })
    },
  }
}

/** Each place of a document that names an audit file without which requests would be refused. */
function filesOf(config: Config): readonly { readonly place: string; readonly path: string }[] {
  return allPolicies(config).flatMap(({ path: place, policies: { audit } }) =>
    audit?.whenFull !== 'refuse'
      ? []
      : audit.sinks.flatMap(({ file }, i) =>
          file === undefined ? [] : [{ place: formatPath([...place, 'audit', 'sinks', i, 'file']), path: file }],
        ),
  )
}

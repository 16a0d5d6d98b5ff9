import { dirname, resolve } from 'node:path'
import { type Audit, type AuditSettings, createAudits, type Log, type Metrics } from '../../observe/observe.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * Opens audit records; what is buffered is written when the process exits.
 * @param document the path of the configuration, to whose folder the paths of record files are relative; undefined: to the working
 *   directory
 */
export function auditOpener(
  document: string | undefined,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
  terminal: Terminal,
): (settings: AuditSettings) => Audit {
  const folder = document === undefined ? terminal.cwd() : dirname(resolve(terminal.cwd(), document))
  const audits = createAudits({ now: Date.now, log, stdout: terminal.stdout })
  terminal.on('exit', () => audits.flush())
  metrics.show({ lostRecords: () => audits.dropped, sinks: () => audits.sinks })
  return (settings) => {
    const sinks = settings.sinks.map((sink) => (sink.kind === 'file' ? { ...sink, path: resolve(folder, sink.path) } : sink))
    return audits.open({ ...settings, sinks })
  }
}

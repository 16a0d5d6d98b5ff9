import { type FileWatch, watchFiles } from '../config/config.ts'
import type { Metrics, ProcessLog } from '../observe/observe.ts'
import { type Document, readDocument } from './document.ts'
import type { Started } from './start-gateway.ts'
import type { Terminal } from './terminal.ts'

/** Puts each changed and good version of a file, or of what it refers to, in force, one after the other; the log says what came of it. */
export function followFile(
  first: Document,
  house: { readonly started: Started; readonly log: ProcessLog; readonly metrics: Metrics },
  terminal: Terminal,
): FileWatch {
  const { started, log, metrics } = house
  const file = first.path
  let files = [file, ...first.files]
  let last = Promise.resolve()

  async function reload(): Promise<void> {
    const { config, problems, files: referred } = readDocument(file, terminal)
    files = [file, ...new Set([...referred, ...files.slice(1)])].slice(0, maxFiles)
    if (config === undefined) return refuse({ problems })
    const failure = await started.reload(config)
    if (failure !== undefined) return refuse({ code: failure.kind, text: failure.text })
    files = [file, ...referred]
    log.configure(config.observe.log)
    metrics.countReload('applied')
    log.info({ file, ...(problems.length === 0 ? {} : { problems }) }, 'the changed configuration is in force')
  }

  function refuse(why: object): void {
    metrics.countReload('refused')
    log.error({ file, ...why }, 'the changed configuration is refused; the one before stays')
  }

  return watchFiles(
    () => files,
    () => {
      last = last.then(reload).catch((err: unknown) => refuse({ err }))
    },
  )
}

/** Files watched while versions are refused: a fault may lie in a file that only the version before named. */
const maxFiles = 1000

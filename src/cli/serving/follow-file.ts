import { type FileWatch, watchFiles } from '../../config/config.ts'
import type { Metrics, ProcessLog } from '../../observe/observe.ts'
import { type Document, readDocument } from '../document/document.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Started } from './start-gateway.ts'

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
  let watch = watchFiles(() => files, enqueue)

  function enqueue(): void {
    last = last.then(reload).catch((err: unknown) => refuse({ err }))
  }

  /** A file that is named for the first time is watched before it is read, so that no change of it is missed. */
  function read(): Document {
    const document = readDocument(file, terminal)
    if (document.files.every((name) => files.includes(name))) return document
    files = [file, ...new Set([...document.files, ...files.slice(1)])].slice(0, maxFiles)
    watch.close()
    watch = watchFiles(() => files, enqueue)
    return readDocument(file, terminal)
  }

  async function reload(): Promise<void> {
    const { config, problems, files: referred } = read()
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

  // It may have changed since it was read first.
  if (readDocument(file, terminal).text !== first.text) enqueue()
  return { close: () => watch.close() }
}

/** Files watched while versions are refused: a fault may lie in a file that only the version before named. */
const maxFiles = 1000

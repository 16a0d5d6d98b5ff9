import { type Problem, watchFiles } from '../../config/config.ts'
import type { Metrics, ProcessLog } from '../../observe/observe.ts'
import { type Document, placed, readDocument } from '../document/document.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { sayProblems } from './say-problems.ts'
import type { Started } from './start-gateway.ts'

export interface FileFollowing {
  /** Reads the file now and puts it in force, even if it has not changed. */
  reload(): void
  close(): void
}

/** Follows a file and the files that it refers to: puts each valid new version in force, one after the other, and logs the result. */
export function followFile(
  first: Document,
  house: { readonly started: Started; readonly log: ProcessLog; readonly metrics: Metrics },
  terminal: Pick<Terminal, 'stderr' | 'env'>,
): FileFollowing {
  const { started, log, metrics } = house
  const file = first.path
  let files = [file, ...first.files]
  let last = Promise.resolve()
  let watch = watchFiles(() => files, enqueue)

  function enqueue(): void {
    last = last.then(reload).catch((err: unknown) => refuse({ err }))
  }

  /** Reads the document. A file that it names for the first time is watched before it is read, so that no change is missed. */
  function read(): Document {
    const document = readDocument(file, terminal, first.how)
    if (document.files.every((name) => files.includes(name))) return document
    files = [file, ...new Set([...document.files, ...files.slice(1)])].slice(0, maxFiles)
    watch.close()
    watch = watchFiles(() => files, enqueue)
    return readDocument(file, terminal, first.how)
  }

  async function reload(): Promise<void> {
    const document = read()
    const { config, problems } = document
    if (config === undefined) return refuseFor(document, problems)
    const done = await started.reload(config)
    if (done.kind === 'refused') return refuseFor(document, [...problems, ...placed(done.problems, document)])
    files = [file, ...document.files]
    log.configure(config.observe.log)
    metrics.countReload('applied')
    sayProblems(document, log, terminal)
    const clientsTold = await done.clientsTold
    log.info({ file, changes: done.changes, clientsTold }, 'the changed configuration is in force')
  }

  function refuseFor({ path, text }: Document, problems: readonly Problem[]): void {
    sayProblems({ path, text, problems }, log, terminal)
    refuse({ errors: problems.filter(({ severity }) => severity === 'error').length })
  }

  function refuse(why: object): void {
    metrics.countReload('refused')
    log.error({ file, ...why }, 'the changed configuration is refused; the one before stays')
    log.flush()
  }

  // It may have changed since it was first read.
  if (readDocument(file, terminal, first.how).text !== first.text) enqueue()
  return { reload: enqueue, close: () => watch.close() }
}

/** Most files that are watched while new versions are refused, since the fault may be in a file that only the previous version named. */
const maxFiles = 1000

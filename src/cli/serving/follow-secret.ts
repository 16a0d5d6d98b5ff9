import type { DocumentSource } from '../../admin/admin.ts'
import {
  type Config,
  type PodDocument,
  type PodListeners,
  type Problem,
  podSource,
  readPodDocument,
  resolveSecret,
  type SecretCopy,
  type SecretData,
  type SecretName,
  watchSecret,
} from '../../config/config.ts'
import type { ApiClient } from '../../kube/kube.ts'
import type { Metrics, ProcessLog } from '../../observe/observe.ts'
import type { Auditing } from './open-audit.ts'
import type { SaidDocument } from './say-problems.ts'
import { type Applied, type Started, startGateway } from './start-gateway.ts'

export interface FollowSecretDeps {
  readonly auditing: Auditing
  readonly client: ApiClient
  readonly log: ProcessLog
  readonly metrics: Metrics
  /** Where the copy for a start without an API server is kept; absent: no copy is kept. */
  readonly lastGood: SecretCopy | undefined
  /** Reports the problems of a document that can't be put in force. */
  say(document: SaidDocument): void
  /** A random number from 0 to below 1. */
  random(): number
  /** How long to wait for the first version before the copy is served. Default 3 s. */
  readonly patienceMs?: number
  /** The listeners besides those of the document; default: those of pods. */
  readonly listeners?: PodListeners
}

export interface SecretFollowing {
  /** Resolves when a configuration is in force. */
  readonly first: Promise<Started>
  /** The gateway in force; undefined before the first. */
  current(): Started | undefined
  /** Tries to put the newest version in force again. */
  reload(): void
  /** Ends the following. Resolves when no version is being put in force any more. */
  close(): Promise<void>
}

/** How many reasons for waiting are logged, since a broken server could make up new ones for ever. */
const maxReasons = 20

/**
 * Starts a gateway from a Secret and puts each valid new version in force, one after the other; of several that wait, only the newest. A
 * version that can't be put in force changes nothing, nor does the removal of the Secret or an API server that can't be reached. Until the
 * first version comes, the copy of the last one in force is served, if there is one.
 */
export function followSecret(name: SecretName, deps: FollowSecretDeps): SecretFollowing {
  const { client, log, metrics, auditing, lastGood, patienceMs = 3000, listeners } = deps
  const first = Promise.withResolvers<Started>()
  const about = { secret: `${name.namespace}/${name.name}` }
  let started: Started | undefined
  let inForce: Omit<DocumentSource, 'refused'> | undefined
  let refused: DocumentSource['refused']
  let arrived: SecretData | undefined
  /** The version that has arrived and is to be put in force next. */
  let newest: SecretData | undefined
  let why = 'the API server has not answered yet'
  let isPatient = true
  let isCopyTried = false
  let copyFault: string | undefined
  let isClosed = false
  let last = Promise.resolve()
  const reasons = new Set<string>()

  function enqueue(job: () => Promise<void>): void {
    last = last.then(() => (isClosed ? undefined : job())).catch((err: unknown) => log.error({ ...about, err }, 'a bug: please report it'))
  }

  async function takeNewest(): Promise<void> {
    if (newest === undefined) return
    const data = newest
    newest = undefined
    const document = readPodDocument(data, listeners)
    const fault = await putInForce(document, false)
    if (fault !== undefined) {
      refuse(document, fault)
      return await serveCopy()
    }
    const unkept = await lastGood?.write(data)
    if (unkept !== undefined && unkept.text !== copyFault) log.warn({ text: unkept.text }, 'no copy of what is in force is kept')
    copyFault = unkept?.text
  }

  /** Serves the copy if nothing is in force yet; it is tried once. */
  async function serveCopy(): Promise<void> {
    if (started !== undefined) return
    const copy = isCopyTried ? undefined : await lastGood?.read()
    isCopyTried = true
    const document = copy?.kind === 'copy' ? readPodDocument(copy.data, listeners) : undefined
    const fault = copy?.kind === 'fault' ? copy.text : document && (await putInForce(document, true))
    if (fault !== undefined) log.error({ text: fault }, "the copy of what was in force last can't be served")
    isPatient = false
    wait()
  }

  /** Resolves with undefined when it is done, else with the reason why it can't be. */
  async function putInForce({ config, problems, digest, version }: PodDocument, isLastGood: boolean): Promise<string | undefined> {
    if (config === undefined) return refusalOf(problems)
    let applied: Applied | undefined
    const next = { digest, version, isLastGood }
    if (started === undefined) {
      // The new gateway's admin listener can be asked before this function goes on.
      inForce = next
      const fault = await start(config)
      if (fault !== undefined) {
        inForce = undefined
        return fault
      }
    } else {
      const done = await started.reload(config)
      if (done.kind === 'refused') return refusalOf(done.problems)
      applied = done
      inForce = next
      metrics.countReload('applied')
    }
    if (!isLastGood) refused = undefined
    log.configure(config.observe.log)
    const change = applied === undefined ? {} : { changes: applied.changes, clientsTold: await applied.clientsTold }
    log.info(
      { ...about, digest, version, ...change },
      isLastGood ? 'the copy of what was in force last is served' : 'the configuration is in force',
    )
    return undefined
  }

  async function start(config: Config): Promise<string | undefined> {
    try {
      const secret = (reference: string) => resolveSecret(reference, podSource)
      const result = await startGateway(config, { log, metrics, auditing, secret, source })
      if (result.kind === 'refused') return refusalOf(result.problems)
      started = result
      first.resolve(result)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  function refusalOf(problems: readonly Problem[]): string {
    const errors = problems.filter(({ severity }) => severity === 'error')
    deps.say({ path: about.secret, text: '', problems: errors })
    return sentenceOf(errors)
  }

  function source(): DocumentSource | undefined {
    return inForce === undefined || refused === undefined ? inForce : { ...inForce, refused }
  }

  function refuse({ digest, version }: PodDocument, text: string): void {
    refused = { digest, version, text }
    why = 'the Secret has no configuration that can be served'
    metrics.countReload('refused')
    log.error(
      { ...about, ...refused },
      started === undefined ? 'the configuration is refused' : 'the configuration is refused; what is in force stays',
    )
  }

  function wait(): void {
    if (isPatient || started !== undefined || reasons.size >= maxReasons || reasons.has(why)) return
    reasons.add(why)
    log.warn({ ...about, why }, 'there is nothing to serve: waiting for a configuration')
  }

  const patience = setTimeout(() => enqueue(serveCopy), patienceMs)
  const watch = watchSecret(
    client,
    name,
    {
      onData(data) {
        newest = data
        arrived = data
        enqueue(takeNewest)
      },
      onGone(text) {
        why = text
        if (started !== undefined) log.warn({ ...about, why }, 'the configuration is gone; what is in force stays')
        wait()
      },
      onUnheard(text) {
        why = text
        wait()
      },
    },
    deps,
  )
  return {
    first: first.promise,
    current: () => started,
    reload() {
      newest ??= arrived
      enqueue(takeNewest)
    },
    async close() {
      isClosed = true
      clearTimeout(patience)
      watch.close()
      await last
    },
  }
}

/** The first errors in one sentence, for `/status` and the log. */
function sentenceOf(errors: readonly Problem[]): string {
  const said = errors.slice(0, maxErrors).map(({ path, text }) => (path === '' ? text : `${path}: ${text}`))
  const more = errors.length - said.length
  return `${said.join('; ')}${more === 0 ? '' : `; and ${more} more`}`
}

const maxErrors = 3

import type { ApiClient } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { createApplier } from './apply-objects.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { classTasks } from './create-classes.ts'
import { debounce } from './debounce.ts'
import { electLeader } from './elect-leader.ts'
import { managedBy } from './managed-by.ts'
import type { DesiredStatus, Observations, Settings, Translation } from './model.ts'
import { createNamedObjects } from './named-objects.ts'
import { createObjectStore } from './object-store.ts'
import type { RandomBytes } from './random-parts.ts'
import { removalTasks } from './remove-abandoned.ts'
import { createEventReporter } from './report-events.ts'
import { leaseName } from './rights.ts'
import { slim, slimToMetadata } from './slim.ts'
import { translate } from './translate.ts'
import { refKey, refOf } from './world.ts'
import { createWriteQueue } from './write-queue.ts'
import { createStatusWriter } from './write-status.ts'

/** The loop that brings a cluster to what its objects say. */
export interface Controller {
  /** Ready where all that must be known is known, whoever leads; else why not, one sentence each. */
  readiness(): { readonly isReady: boolean; readonly reasons: readonly string[] }
  isLeader(): boolean
  /** Writes no more from now on; resolves when the lease has been given back. */
  stop(): Promise<void>
}

export interface ControllerSettings extends Settings {
  /** Where the lease of the leader is. */
  readonly namespace: string
  /** Who asks for it: different for each process. */
  readonly holder: string
}

export interface ControllerDeps {
  readonly log: Log
  readonly metrics: ControllerMetrics
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  /** From 0 up to but without 1. */
  readonly random: () => number
  readonly randomBytes: RandomBytes
}

const quietMs = 30
const maxWaitMs = 500
/** How long a Secret that is named for the first time may take until it counts as missing. */
const patienceMs = 5000
/** How often is looked for what was changed by others where nobody follows it. */
const lookMs = 10_000
const concurrency = 8

/**
 * Follows the cluster, translates all of it anew after each change, and writes the result where it leads: classes first, then what
 * Gateways need, then statuses. Nothing is written before all that the result depends on is known. What a newer result makes obsolete
 * before it is written is dropped.
 */
export function startController(client: ApiClient, settings: ControllerSettings, deps: ControllerDeps): Controller {
  const { log, metrics, now, wallClock, random, randomBytes } = deps
  const { controllerName } = settings
  let latest: Translation | undefined
  /** By `refKey`, of the latest translation. */
  let statuses: ReadonlyMap<string, DesiredStatus> = new Map()
  let bug: string | undefined

  const translating = debounce(reconcile, { quietMs, maxMs: maxWaitMs })
  const election = electLeader(
    client,
    { namespace: settings.namespace, name: leaseName, holder: settings.holder },
    {
      log,
      now,
      wallClock,
      random,
      onChange(isLeader) {
        metrics.setLeader(isLeader)
        write()
      },
    },
  )
  const term = () => election.term()
  /** A process that stood still in the midst of a write looks at its clock before the next request. */
  const writing: ApiClient = {
    ...client,
    request: async (request) => (term() === undefined ? { kind: 'unreachable', text: 'the term is over' } : client.request(request)),
  }
  const queue = createWriteQueue({ concurrency, term, now, random })
  const store = createObjectStore(
    client,
    {
      onChange: translating.trigger,
      onStatus(object) {
        const desired = statuses.get(refKey(refOf(object)))
        if (desired !== undefined && statusWriter.isDue(desired)) write()
      },
      onInterruption: (kind) => metrics.countInterruption(kind),
    },
    { random, log },
  )
  const named = createNamedObjects(client, { random, log, slim, onChange: translating.trigger, patienceMs })
  /** Of the Gateways' own Secrets nothing but their versions is kept. */
  const own = createNamedObjects(client, { random, log, slim: slimToMetadata, onChange: write, patienceMs })
  const events = createEventReporter({ client: writing, controllerName, term, wallClock })
  const statusWriter = createStatusWriter({
    client: writing,
    controllerName,
    find: store.find,
    onWritten: events.report,
    log,
    metrics,
    now,
    wallClock,
  })
  const applier = createApplier({
    client: writing,
    controllerName,
    isSeen: (ref) => (ref.kind === 'Secret' ? own : store).isSynced(ref),
    seen: (ref) => (ref.kind === 'Secret' ? own : store).find(ref)?.metadata.resourceVersion,
    onFault: translating.trigger,
    random: randomBytes,
    log,
    metrics,
    now,
  })
  const look = setInterval(write, lookMs)

  function reconcile(): void {
    if (store.missing().length > 0) return
    const startedMs = now()
    const observed: Observations = { provisioning: applier.faults(), forbidden: named.forbidden() }
    let translation: Translation
    try {
      translation = translate([...store.objects(), ...named.objects()], settings, observed)
    } catch (err) {
      // What was written stays, and what can be told of it is told.
      bug = 'the objects could not be translated, which is a bug of mcplex: see its log'
      log.error({ err }, bug)
      return
    }
    bug = undefined
    named.want(translation.wanted)
    // What is found there, or the end of patience, brings us here again.
    if (named.isWaiting()) return
    latest = translation
    statuses = new Map(translation.statuses.map((desired) => [refKey(refOf(desired.object)), desired]))
    own.want(translation.gateways.flatMap((plan) => plan.objects.filter(({ kind }) => kind === 'Secret').map(refOf)))
    metrics.observeReconcile(now() - startedMs)
    write()
  }

  /** Brings the cluster to the latest translation, as far as it isn't there yet. */
  function write(): void {
    if (latest === undefined || term() === undefined) return queue.replace([])
    queue.replace([
      ...classTasks(latest.classes, { client: writing, controllerName, log, metrics }),
      ...removalTasks(latest.abandoned, { client: writing, managedBy: managedBy(settings), find: store.find, log, metrics }),
      ...applier.tasks(latest.gateways),
      ...statusWriter.tasks(latest.statuses),
    ])
  }

  return {
    readiness() {
      const reasons = [...store.missing(), ...(bug === undefined ? [] : [bug])]
      if (reasons.length === 0 && latest === undefined) reasons.push('the first translation is under way')
      return { isReady: reasons.length === 0, reasons }
    },
    isLeader: () => term() !== undefined,
    async stop() {
      clearInterval(look)
      translating.close()
      await election.stop()
      await queue.settled()
      for (const part of [store, named, own]) part.close()
    },
  }
}

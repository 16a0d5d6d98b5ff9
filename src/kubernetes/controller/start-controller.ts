import type { ApiClient } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import {
  type DesiredStatus,
  gatewayGroup,
  type KubeObject,
  managedBy,
  type Observations,
  ownPorts,
  refKey,
  refOf,
  type Settings,
  slim,
  textAt,
} from '../objects/objects.ts'
import { type AskProxy, askedGateways, createProxyPoller, peersOf, proxyAsker, slimToToken } from '../proxies/proxies.ts'
import { isPodAddress } from '../services/services.ts'
import { type Translation, translate } from '../translation/translation.ts'
import { createApplier, createClassMaker, createRemover, createStatusWriter, createWriteQueue, type RandomBytes } from '../writes/writes.ts'
import { createClassClaims } from './class-claims.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { debounce } from './debounce.ts'
import { electLeader } from './elect-leader.ts'
import { createHeldPlans } from './held-plans.ts'
import { createNamedObjects } from './named-objects.ts'
import { createObjectStore } from './object-store.ts'
import { createEventReporter } from './report-events.ts'
import { leaseNameFor } from './rights.ts'

/** The controller: it makes a cluster what its objects say. */
export interface Controller {
  /** Ready once all kinds are known and translated, whether it leads or not; otherwise why not, a sentence each. */
  readiness(): { readonly isReady: boolean; readonly reasons: readonly string[] }
  isLeader(): boolean
  /** Stops writing; resolves when the lease has been given back. */
  stop(): Promise<void>
}

/** The settings of an installation, and of this process. */
export interface ControllerSettings extends Settings {
  /** The namespace of the leader's Lease. */
  readonly namespace: string
  /** The holder identity in the Lease, different for each process. */
  readonly holder: string
  /** The controller's user name, as the API server calls it; undefined where that is not known. */
  readonly account?: string | undefined
}

/** What a controller needs of its process. */
export interface ControllerDeps {
  readonly log: Log
  readonly metrics: ControllerMetrics
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  /** A number from 0 to below 1. */
  readonly random: () => number
  readonly randomBytes: RandomBytes
  /** By default by HTTP, on the proxies' admin port. */
  readonly askProxy?: AskProxy
  /** Whether a proxy may be asked at an address. By default if the address can be a pod's. */
  readonly isAskable?: (address: string) => boolean
}

/** A translation begins once no object has changed for `quietMs`, at the latest `maxWaitMs` after the first change. */
const quietMs = 30
const maxWaitMs = 500
/** How long a Secret that is referred to for the first time is waited for before statuses say that the API server has not answered. */
const patienceMs = 5000
/** How often objects that are not watched are checked for changes by others. */
const lookMs = 10_000
/** Writes at a time. */
const concurrency = 8
/** How long a controller that stops waits for requests under way before it aborts them. */
const settleMs = 2000

/**
 * Watches the cluster, translates all of it after each change, and, while it leads, writes the result: GatewayClasses first, then the objects
 * that Gateways need, then statuses. Nothing is written before every kind is known. Documents and statuses wait until it is known whether
 * the Secrets and ConfigMaps exist that they depend on. What a newer translation makes obsolete is not written any more.
 */
export function startController(client: ApiClient, settings: ControllerSettings, deps: ControllerDeps): Controller {
  const { log, metrics, now, wallClock, random, randomBytes, askProxy = proxyAsker(ownPorts.admin), isAskable = isPodAddress } = deps
  const { controllerName } = settings
  let latest: Translation | undefined
  /** The statuses of the latest translation, by `refKey`. */
  let statuses: ReadonlyMap<string, DesiredStatus> = new Map()
  /** The headless Services of our Gateways' proxies, by `ns/name`: changes of their EndpointSlices concern only the poller of proxies. */
  let peers: ReadonlySet<string> = new Set()
  /** What was unknown to the latest translation. */
  let told: ReadonlyMap<string, string> = new Map()
  let bug: string | undefined
  let hasSaidAbsent = false

  const translating = debounce(reconcile, { quietMs, maxMs: maxWaitMs })
  const election = electLeader(
    client,
    { namespace: settings.namespace, name: leaseNameFor(controllerName), holder: settings.holder },
    {
      log,
      now,
      wallClock,
      random,
      onChange(isLeader) {
        metrics.setLeader(isLeader)
        followProxies()
        // The statuses that the last translation was made with may be out of date by now.
        if (isLeader) reconcile()
        else write()
      },
    },
  )
  let isStopping = false
  const term = () => (isStopping ? undefined : election.term())
  /** The client for writes. Before each request it checks that the term has not ended, as the process may have stood still. */
  const writing: ApiClient = {
    ...client,
    request: async (request) => (term() === undefined ? { kind: 'unreachable', text: 'the term is over' } : client.request(request)),
  }
  const queue = createWriteQueue({ concurrency, term, now, random })
  const store = createObjectStore(
    client,
    {
      onChange: translating.trigger,
      onSlice(service) {
        if (peers.has(service)) followProxies()
        else if (latest === undefined || latest.services.has(service)) translating.trigger()
      },
      onStatus(object) {
        const desired = statuses.get(refKey(refOf(object)))
        if (desired !== undefined && statusWriter.isDue(desired)) write()
      },
      onInterruption: (kind) => metrics.countInterruption(kind),
    },
    { random, log },
  )
  const named = createNamedObjects(client, { random, log, slim, onChange: translating.trigger, patienceMs })
  /** The Gateways' own Secrets. Only their metadata and the tokens of their proxies are kept. */
  const own = createNamedObjects(client, {
    random,
    log,
    slim: slimToToken,
    onChange() {
      followProxies()
      write()
    },
    patienceMs,
  })
  const poller = createProxyPoller({ ask: askProxy, onChange: translating.trigger, log, metrics, now, random })
  const heldPlans = createHeldPlans({ isAwaited: named.isAwaited, now })
  const claims = createClassClaims(settings, log)
  const classMaker = createClassMaker({
    client: writing,
    controllerName,
    isServed: (object) => store.isSynced(refOf(object)),
    wasOurs: claims.wasOurs,
    log,
    metrics,
  })
  const remover = createRemover({ client: writing, managedBy: managedBy(settings), find: store.find, log, metrics })
  const events = createEventReporter({ client: writing, controllerName, term, wallClock })
  const statusWriter = createStatusWriter({
    client: writing,
    controllerName,
    find: store.find,
    hasOthers: () => store.objects().some(isOthersClass),
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
    sayWhatIsAbsent()
    const unknown = named.unknown()
    const observed: Observations = {
      provisioning: applier.faults(),
      forbidden: named.forbidden(),
      unknown,
      proxies: poller.reports(),
      settling: poller.settling(),
      digests: poller.digests(),
      account: settings.account,
    }
    const objects = store.objects()
    let translation: Translation
    try {
      translation = translate([...objects, ...named.objects()], { ...settings, classes: claims.free(objects) }, observed)
    } catch (err) {
      // The cluster stays as it is, and readiness says why.
      bug = 'the objects could not be translated, which is a bug of mcplex: see its log'
      log.error({ err }, bug)
      return
    }
    bug = undefined
    // Another translation follows once these are read, or have been waited for long enough.
    named.want(translation.wanted)
    told = unknown
    latest = translation
    statuses = new Map(translation.statuses.map((desired) => [refKey(refOf(desired.object)), desired]))
    own.want(translation.gateways.flatMap((plan) => plan.objects.filter(({ kind }) => kind === 'Secret').map(refOf)))
    peers = new Set(translation.gateways.map(peersOf))
    followProxies()
    metrics.observeReconcile(now() - startedMs)
    write()
  }

  /** Lets the poller ask the proxies of our Gateways, while this controller leads: only the leader writes statuses. */
  function followProxies(): void {
    const plans = term() === undefined ? [] : (latest?.gateways ?? [])
    poller.follow(askedGateways(plans, { slices: store.all(endpointSlice), findSecret: own.find, isAskable }))
  }

  /** Queues what differs between the cluster and the latest translation. */
  function write(): void {
    if (latest === undefined || term() === undefined) return queue.replace([])
    queue.replace([
      ...classMaker.tasks(latest.classes),
      ...applier.tasks(latest.gateways, heldPlans.held(latest.gateways)),
      ...statusWriter.tasks(latest.statuses, isHeld),
      ...remover.tasks(latest.abandoned),
    ])
  }

  /** Whether a status depends on an object that is unknown while the translation took it for known, so that the status must wait. */
  function isHeld({ waitsFor = [] }: DesiredStatus): boolean {
    return waitsFor.some((ref) => named.isUnknown(ref) && !told.has(refKey(ref)))
  }

  function isOthersClass(object: KubeObject): boolean {
    const { group, kind } = refOf(object)
    return group === gatewayGroup && kind === 'GatewayClass' && textAt(object, 'spec', 'controllerName') !== controllerName
  }

  function sayWhatIsAbsent(): void {
    const isAbsent = store.isAbsent({ group: gatewayGroup, kind: 'GatewayClass' })
    if (isAbsent && !hasSaidAbsent)
      log.warn({ install: gatewayApi }, 'the cluster has no Gateway API: mcplex goes on as soon as it is there')
    hasSaidAbsent = isAbsent
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
      poller.close()
      isStopping = true
      // Requests that are still under way must not meet those of the next leader.
      await within(settleMs, queue.settled())
      await election.stop()
      await queue.settled()
      for (const part of [store, named, own]) part.close()
    },
  }
}

const endpointSlice = { group: 'discovery.k8s.io', kind: 'EndpointSlice' } as const

/** Where the Gateway API can be installed from, if the cluster lacks it. */
const gatewayApi = 'https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.5.1/standard-install.yaml'

/** Resolves when `done` does, at the latest after this time. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([done, passed])
  clearTimeout(timer)
}

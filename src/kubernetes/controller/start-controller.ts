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
  /** Who the controller is, as the API server calls it; undefined where that is not known. */
  readonly account?: string | undefined
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
  /** Default: by HTTP, on the proxies' own admin port. */
  readonly askProxy?: AskProxy
  /** Whether a proxy may be asked at an address. Default: where a pod can be. */
  readonly isAskable?: (address: string) => boolean
}

const quietMs = 30
const maxWaitMs = 500
/** How long the API server may say nothing of a Secret that is named for the first time before statuses tell of that. */
const patienceMs = 5000
/** How often is looked for what was changed by others where nobody follows it. */
const lookMs = 10_000
const concurrency = 8
/** How long a controller that stops waits for requests that are under way before it breaks them off. */
const settleMs = 2000

/**
 * Follows the cluster, translates all of it anew after each change, and writes the result where it leads: classes first, then what
 * Gateways need, then statuses. Nothing is written before every kind is known, and no document and status while it is not known whether
 * the Secrets and ConfigMaps are there that it depends on. What a newer result makes obsolete before it is written is dropped.
 */
export function startController(client: ApiClient, settings: ControllerSettings, deps: ControllerDeps): Controller {
  const { log, metrics, now, wallClock, random, randomBytes, askProxy = proxyAsker(ownPorts.admin), isAskable = isPodAddress } = deps
  const { controllerName } = settings
  let latest: Translation | undefined
  /** By `refKey`, of the latest translation. */
  let statuses: ReadonlyMap<string, DesiredStatus> = new Map()
  /** Headless Services of our Gateways' proxies, by `ns/name`: who is behind them is for the proxies' poller alone. */
  let peers: ReadonlySet<string> = new Set()
  /** What the latest translation was told of what is unknown. */
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
        // What statuses said when they were read last may be old by now.
        if (isLeader) reconcile()
        else write()
      },
    },
  )
  let isStopping = false
  const term = () => (isStopping ? undefined : election.term())
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
  /** Of the Gateways' own Secrets nothing but their versions and the tokens of the proxies is kept. */
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
      // What was written stays, and what can be told of it is told.
      bug = 'the objects could not be translated, which is a bug of mcplex: see its log'
      log.error({ err }, bug)
      return
    }
    bug = undefined
    // What is found there, or the end of patience, brings us here again.
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

  /** Only who writes statuses asks. */
  function followProxies(): void {
    const plans = term() === undefined ? [] : (latest?.gateways ?? [])
    poller.follow(askedGateways(plans, { slices: store.all(endpointSlice), findSecret: own.find, isAskable }))
  }

  /** Brings the cluster to the latest translation, as far as it isn't there yet. */
  function write(): void {
    if (latest === undefined || term() === undefined) return queue.replace([])
    queue.replace([
      ...classMaker.tasks(latest.classes),
      ...applier.tasks(latest.gateways, heldPlans.held(latest.gateways)),
      ...statusWriter.tasks(latest.statuses, isHeld),
      ...remover.tasks(latest.abandoned),
    ])
  }

  /** Whether it depends on something unknown of which it does not tell. */
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
      // What another leader begins is not to meet what is still on its way from here.
      await within(settleMs, queue.settled())
      await election.stop()
      await queue.settled()
      for (const part of [store, named, own]) part.close()
    },
  }
}

const endpointSlice = { group: 'discovery.k8s.io', kind: 'EndpointSlice' } as const

/** Whose definitions the controller waits for. */
const gatewayApi = 'https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.5.1/standard-install.yaml'

/** Resolves with it, or after that time. */
async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([done, passed])
  clearTimeout(timer)
}

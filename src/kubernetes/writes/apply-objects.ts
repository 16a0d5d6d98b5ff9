import { createHash } from 'node:crypto'
import { type ApiClient, type ApiReply, statusText } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import {
  collectionPath,
  foreignSentence,
  isOwn,
  type KubeObject,
  kindOfObject,
  nameKey,
  type ObjectRef,
  objectPath,
  type Raw,
  readObject,
  refKey,
  refOf,
  titleOf,
} from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'
import { deleteOwn } from './delete-own.ts'
import { generateMissingData, type RandomBytes, withoutGeneratedData } from './generated-secret-data.ts'
import { refusalSentence } from './refusals.ts'
import { hasReplicasOf, isScaled, replicasOf, unwantedAutoscaler } from './scaled-replicas.ts'
import { outcomeOf, type WriteMetrics } from './write-metrics.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'

/** Writes the objects that Gateways need. */
export interface Applier {
  /** A task for each Gateway with an object that may not be as it should be, except those that are held back, by `ns/name`. */
  tasks(plans: readonly GatewayPlan[], held?: ReadonlySet<string>): readonly WriteTask[]
  /** By `ns/name` of the Gateway, why its objects could not be written. */
  faults(): ReadonlyMap<string, string>
}

/** What writing objects needs. */
export interface ApplierDeps {
  readonly client: ApiClient
  readonly controllerName: string
  /** The version of an object that watches have seen; undefined where it does not exist or is not watched. */
  readonly seen: (ref: ObjectRef) => string | undefined
  /** Whether an object's kind is watched, and the watch is up to date. */
  readonly isSeen: (ref: ObjectRef) => boolean
  /** Called when `faults()` have changed. */
  readonly onFault: () => void
  readonly random: RandomBytes
  readonly log: Log
  readonly metrics: WriteMetrics
  /** Milliseconds, from any origin. */
  readonly now: () => number
}

interface Applied {
  readonly digest: string
  readonly atMs: number
  readonly version: string | undefined
}

/** An object that must exist, or one that must not exist any more, which is ours if it belongs to the same Gateway as `beside`. */
type Wish = { readonly ref: ObjectRef; readonly digest: string } & (
  | { readonly kind: 'there'; readonly object: KubeObject }
  | { readonly kind: 'gone'; readonly beside: KubeObject }
)

/** Why an object could not be written: the API server was away or busy, or there is a fault that the status reports. */
type Stop =
  | { readonly kind: 'away' }
  | { readonly kind: 'fault'; readonly text: string; readonly outcome: WriteOutcome; readonly isForbidden?: boolean }

/** An object as it should be, and as it is. */
interface Found {
  readonly kind: 'found'
  readonly object: KubeObject
  readonly existing: KubeObject | undefined
  /** Whether an object that is not ours has its name. */
  readonly isForeign: boolean
  /** Whether this controller has applied the number of its pods. */
  readonly hasOurReplicas: boolean
}

/** Objects that are not watched are applied again after this time, which repairs what others changed or deleted. */
const resyncMs = 60_000
/** Objects that are watched and were changed by others are applied again no sooner than this after the last time. */
const repairMs = 1000

/**
 * The field manager that keeps the number of pods between this controller, which has applied it until now, and the autoscaler, which has
 * set none yet.
 */
const scaler = 'mcplex-replicas'

/**
 * Writes the objects of Gateways by server-side apply, the Secret first. The others are read before the first of them is written: if one of
 * these names belongs to an object that is not ours, by its owner and its label, none is written, and that is a fault. So a Service of
 * another controller goes on serving. An autoscaler that a Gateway does not ask for any more is deleted.
 */
export function createApplier(deps: ApplierDeps): Applier {
  const { client, controllerName, seen, isSeen, onFault, random, log, metrics, now } = deps
  /** What was applied last, by `refKey` of the objects in the last plans. */
  let applied = new Map<string, Applied>()
  /** By `ns/name` of the Gateways in the last plans. */
  let faults = new Map<string, string>()

  /** When it should be applied, in milliseconds; undefined where it is up to date. */
  function dueAt({ ref, digest }: Wish): number | undefined {
    const last = applied.get(refKey(ref))
    if (last === undefined || last.digest !== digest) return 0
    if (isSeen(ref) && seen(ref) !== last.version) return last.atMs + repairMs
    return now() - last.atMs >= resyncMs ? 0 : undefined
  }

  async function run(plan: GatewayPlan, signal: AbortSignal): Promise<WriteOutcome> {
    const key = nameKey(plan)
    // A task that waited for one with the same key finds some of its work done.
    const due = wishesOf(plan).filter((wish) => (dueAt(wish) ?? Number.POSITIVE_INFINITY) <= now())
    const stop = await bring(due, plan, signal)
    if (signal.aborted) return 'done'
    if (stop?.kind === 'away') return 'soon'
    if (stop?.text !== faults.get(key)) {
      if (stop === undefined) faults.delete(key)
      else {
        faults.set(key, stop.text)
        log.warn({ gateway: key, text: stop.text }, 'what a Gateway needs could not be written')
      }
      onFault()
    }
    return stop?.outcome ?? 'done'
  }

  /** Makes all objects what they should be; returns the first reason why that failed. */
  async function bring(wishes: readonly Wish[], plan: GatewayPlan, signal: AbortSignal): Promise<Stop | undefined> {
    for (const wish of wishes) {
      if (wish.kind !== 'gone') continue
      const isOurs = (object: KubeObject): boolean => isOwn(object, wish.beside)
      const outcome = await deleteOwn(wish.ref, deps, { isOurs, why: 'its Gateway asks for none any more', signal })
      if (outcome === 'soon') return { kind: 'away' }
      applied.set(refKey(wish.ref), { digest: wish.digest, atMs: now(), version: undefined })
    }
    const objects = wishes.flatMap((wish) => (wish.kind === 'there' ? [wish.object] : []))
    const foreign: KubeObject[] = []
    let first: Stop | undefined
    for (const isSecret of [true, false]) {
      const looks = await Promise.all(
        objects.filter(({ kind }) => (kind === 'Secret') === isSecret).map((object) => look(object, plan, signal)),
      )
      const failed = looks.find((one) => one.kind !== 'found')
      if (failed !== undefined) return failed
      const found = looks.filter((one) => one.kind === 'found')
      foreign.push(...found.flatMap(({ existing, isForeign }) => (existing !== undefined && isForeign ? [existing] : [])))
      for (const one of foreign.length > 0 ? [] : found) {
        const stop = await apply(one, plan, signal)
        if (stop?.kind === 'away' || stop?.isForbidden) return stop
        first ??= stop
      }
    }
    const [desired] = objects
    if (desired === undefined || foreign.length === 0) return first
    // Watches report when one of these is deleted; objects that are not watched must be looked at again.
    const outcome = foreign.some((object) => isSeen(refOf(object))) ? 'later' : 'soon'
    return { kind: 'fault', text: foreignSentence(foreign, desired), outcome }
  }

  async function look(object: KubeObject, plan: GatewayPlan, signal: AbortSignal): Promise<Found | Stop> {
    const ref = refOf(object)
    const path = objectPath(ref)
    if (path === undefined) return { kind: 'fault', text: `${titleOf(ref)} is of a kind that mcplex does not write`, outcome: 'later' }
    const reply = object.kind === 'Secret' ? await readSecret(object, path, signal) : await client.request({ method: 'GET', path, signal })
    if (reply.kind === 'unreachable') return { kind: 'away' }
    if (reply.status >= 300 && reply.status !== 404) return refused(ref, plan, reply, false)
    const existing = reply.status === 404 ? undefined : readObject(reply.body)
    return {
      kind: 'found',
      object,
      existing,
      isForeign: !isOwn(reply.body, object),
      hasOurReplicas: hasReplicasOf(reply.body, controllerName),
    }
  }

  async function apply({ object, existing, hasOurReplicas }: Found, plan: GatewayPlan, signal: AbortSignal): Promise<Stop | undefined> {
    const ref = refOf(object)
    // With its uid, so that an object that takes its place meanwhile is not overwritten.
    const metadata = { ...object.metadata, ...(existing?.metadata.uid === undefined ? {} : { uid: existing.metadata.uid }) }
    if (existing !== undefined && hasOurReplicas && isScaled(plan)) {
      const kept = await patch(ref, replicasOf(existing), { fieldManager: scaler }, signal)
      if (kept.kind === 'unreachable') return { kind: 'away' }
      if (kept.status >= 300) return refused(ref, plan, kept, true)
    }
    const data = object.kind === 'Secret' ? { data: withoutGeneratedData(object['data']) } : {}
    const reply = await patch(ref, { ...object, metadata, ...data }, { fieldManager: controllerName, force: 'true' }, signal)
    if (reply.kind === 'unreachable') return { kind: 'away' }
    if (reply.status >= 300) return refused(ref, plan, reply, existing !== undefined)
    const version = readObject(reply.body)?.metadata.resourceVersion
    applied.set(refKey(ref), { digest: digestOf(object), atMs: now(), version })
    if (version !== existing?.metadata.resourceVersion) log.info({ object: titleOf(ref) }, 'applied')
    return undefined
  }

  async function patch(ref: ObjectRef, body: Raw, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ApiReply> {
    const path = objectPath(ref) ?? ''
    const reply = await client.request({ method: 'PATCH', path, query, contentType: 'application/apply-patch+yaml', body, signal })
    metrics.countWrite(ref.kind, outcomeOf(reply))
    return reply
  }

  /**
   * Reads the Secret, and first gives it its random parts where it lacks them. They are never overwritten, so that all controllers keep the
   * same ones; if another controller was first, the write is a conflict.
   */
  async function readSecret(desired: KubeObject, path: string, signal: AbortSignal): Promise<ApiReply> {
    const reply = await client.request({ method: 'GET', path, signal })
    const kind = kindOfObject(desired)
    if (reply.kind === 'unreachable' || kind === undefined) return reply
    const data = generateMissingData(reply.body, random)
    if (reply.status === 404) {
      const { name, namespace, labels, ownerReferences } = desired.metadata
      const metadata = { name, namespace, labels: ownLabels(labels), ownerReferences }
      const body = { apiVersion: desired.apiVersion, kind: desired.kind, metadata, data }
      return await write({ method: 'POST', path: collectionPath(kind, namespace ?? ''), body }, signal)
    }
    const existing = reply.status === 200 ? readObject(reply.body) : undefined
    if (existing === undefined || !isOwn(reply.body, desired) || Object.keys(data).length === 0) return reply
    const body = { metadata: { resourceVersion: existing.metadata.resourceVersion }, data }
    return await write({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body }, signal)
  }

  async function write(
    request: { method: 'POST' | 'PATCH'; path: string; contentType?: string; body: unknown },
    signal: AbortSignal,
  ): Promise<ApiReply> {
    const reply = await client.request({ ...request, query: { fieldManager: controllerName }, signal })
    metrics.countWrite('Secret', outcomeOf(reply))
    return reply
  }

  function refused(ref: ObjectRef, { parameters = [] }: GatewayPlan, reply: Extract<ApiReply, { kind: 'reply' }>, isThere: boolean): Stop {
    // Another writer was first, or the API server is busy: neither is a fault.
    if (reply.status === 409 || reply.status === 429 || reply.status >= 500) {
      log.debug({ object: titleOf(ref), status: reply.status, text: statusText(reply.body) }, 'not applied')
      return { kind: 'away' }
    }
    return {
      kind: 'fault',
      text: refusalSentence({ ref, isThere, parameters }, reply),
      outcome: 'later',
      isForbidden: reply.status === 403,
    }
  }

  return {
    tasks(plans, held = new Set()) {
      const wishes = new Map(plans.map((plan) => [plan, wishesOf(plan)]))
      const known = new Set([...wishes.values()].flatMap((list) => list.map(({ ref }) => refKey(ref))))
      applied = new Map([...applied].filter(([key]) => known.has(key)))
      const names = new Set(plans.map(nameKey))
      faults = new Map([...faults].filter(([key]) => names.has(key)))
      return [...wishes].flatMap(([plan, list]) => {
        const key = nameKey(plan)
        if (held.has(key)) return []
        const due = list.flatMap((wish) => {
          const atMs = dueAt(wish)
          return atMs === undefined ? [] : [{ ...wish, atMs }]
        })
        if (due.length === 0) {
          if (faults.delete(key)) onFault()
          return []
        }
        const notBeforeMs = Math.min(...due.map(({ atMs }) => atMs))
        // A write that failed over one version of an object may succeed over the next, so versions are part of the wish.
        const wish = due.map(({ ref, digest }) => `${digest} ${seen(ref)}`).join()
        return [{ key: `gateway ${key}`, rank: 1, wish, notBeforeMs, run: (signal: AbortSignal) => run(plan, signal) }]
      })
    },
    faults: () => faults,
  }
}

/** The labels that never change: applying can't remove those that an object was created with. */
function ownLabels(labels: Readonly<Record<string, string>> | undefined): Raw {
  const name = 'app.kubernetes.io/managed-by'
  return labels?.[name] === undefined ? {} : { [name]: labels[name] }
}

function wishesOf(plan: GatewayPlan): readonly Wish[] {
  const wanted = plan.objects.map((object): Wish => ({ kind: 'there', ref: refOf(object), digest: digestOf(object), object }))
  const unwanted = unwantedAutoscaler(plan)
  return unwanted === undefined ? wanted : [...wanted, { kind: 'gone', digest: 'gone', ...unwanted }]
}

function digestOf(object: KubeObject): string {
  return createHash('sha256').update(JSON.stringify(object)).digest('base64')
}

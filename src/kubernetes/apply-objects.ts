import { createHash } from 'node:crypto'
import { type ApiClient, type ApiReply, statusText } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { collectionPath, kindOfObject, objectPath } from './api-paths.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { GatewayPlan, KubeObject, ObjectRef, Raw } from './model.ts'
import { foreignSentence, isOwn } from './ownership.ts'
import { missingParts, type RandomBytes, withoutParts } from './random-parts.ts'
import { refusalSentence } from './refusals.ts'
import { nameKey, readObject, refKey, refOf, titleOf } from './world.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'
import { outcomeOf } from './write-status.ts'

export interface Applier {
  /** A task for each Gateway of which something is not, or not surely, as it should be, but for those that are held back, by `ns/name`. */
  tasks(plans: readonly GatewayPlan[], held?: ReadonlySet<string>): readonly WriteTask[]
  /** By `ns/name` of the Gateway: why what it needs could not be written. */
  faults(): ReadonlyMap<string, string>
}

export interface ApplierDeps {
  readonly client: ApiClient
  readonly controllerName: string
  /** The version of an object as followers know it; undefined where it is gone or nobody follows it. */
  readonly seen: (ref: ObjectRef) => string | undefined
  readonly isSeen: (ref: ObjectRef) => boolean
  readonly onFault: () => void
  readonly random: RandomBytes
  readonly log: Log
  readonly metrics: ControllerMetrics
  /** Milliseconds, from any origin. */
  readonly now: () => number
}

interface Applied {
  readonly digest: string
  readonly atMs: number
  readonly version: string | undefined
}

/** Why something is not as it should be. */
type Stop =
  | { readonly kind: 'away' }
  | { readonly kind: 'fault'; readonly text: string; readonly outcome: WriteOutcome; readonly isForbidden?: boolean }

/** What an object is to be, and what is there. */
interface Found {
  readonly kind: 'found'
  readonly object: KubeObject
  readonly existing: KubeObject | undefined
}

/** What nobody follows is applied again after this time, which repairs what others changed or deleted. */
const resyncMs = 60_000
/** What is followed and was changed by others is applied again this long after the last time at the earliest. */
const repairMs = 1000

/**
 * Writes what Gateways need by server-side apply, the Secret first. The others are looked at before one of them is written: where one of
 * that name is not ours, by its controller reference and its maker's label, none is, and that is a fault. A Service that serves for another
 * controller goes on serving.
 */
export function createApplier(deps: ApplierDeps): Applier {
  const { client, controllerName, seen, isSeen, onFault, random, log, metrics, now } = deps
  /** By `refKey`, of objects in the last plans. */
  let applied = new Map<string, Applied>()
  /** By `ns/name`, of Gateways in the last plans. */
  let faults = new Map<string, string>()

  /** When it should be applied, milliseconds; undefined: not for now. */
  function dueAt(object: KubeObject, digest: string): number | undefined {
    const ref = refOf(object)
    const last = applied.get(refKey(ref))
    if (last === undefined || last.digest !== digest) return 0
    if (isSeen(ref) && seen(ref) !== last.version) return last.atMs + repairMs
    return now() - last.atMs >= resyncMs ? 0 : undefined
  }

  async function run(key: string, objects: readonly KubeObject[], signal: AbortSignal): Promise<WriteOutcome> {
    // A task that waited for the one before it finds some of its work done.
    const due = objects.filter((object) => (dueAt(object, digestOf(object)) ?? Number.POSITIVE_INFINITY) <= now())
    const stop = await bring(due, signal)
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

  /** All of them to what they should be; else the first reason why not. */
  async function bring(objects: readonly KubeObject[], signal: AbortSignal): Promise<Stop | undefined> {
    const foreign: KubeObject[] = []
    let first: Stop | undefined
    for (const isSecret of [true, false]) {
      const looks = await Promise.all(objects.filter(({ kind }) => (kind === 'Secret') === isSecret).map((object) => look(object, signal)))
      const failed = looks.find((one) => one.kind !== 'found')
      if (failed !== undefined) return failed
      const found = looks.filter((one) => one.kind === 'found')
      foreign.push(...found.flatMap(({ object, existing }) => (existing === undefined || isOwn(existing, object) ? [] : [existing])))
      for (const one of foreign.length > 0 ? [] : found) {
        const stop = await apply(one, signal)
        if (stop?.kind === 'away' || stop?.isForbidden) return stop
        first ??= stop
      }
    }
    const [desired] = objects
    if (desired === undefined || foreign.length === 0) return first
    // Followers tell when one of these goes; of the others nobody does.
    const outcome = foreign.some((object) => isSeen(refOf(object))) ? 'later' : 'soon'
    return { kind: 'fault', text: foreignSentence(foreign, desired), outcome }
  }

  async function look(object: KubeObject, signal: AbortSignal): Promise<Found | Stop> {
    const ref = refOf(object)
    const path = objectPath(ref)
    if (path === undefined) return { kind: 'fault', text: `${titleOf(ref)} is of a kind that mcplex does not write`, outcome: 'later' }
    const reply = object.kind === 'Secret' ? await readSecret(object, path, signal) : await client.request({ method: 'GET', path, signal })
    if (reply.kind === 'unreachable') return { kind: 'away' }
    if (reply.status >= 300 && reply.status !== 404) return refused(ref, reply, false)
    return { kind: 'found', object, existing: reply.status === 404 ? undefined : readObject(reply.body) }
  }

  async function apply({ object, existing }: Found, signal: AbortSignal): Promise<Stop | undefined> {
    const ref = refOf(object)
    // With its uid, so that one which takes its place meanwhile is not written over.
    const metadata = { ...object.metadata, ...(existing?.metadata.uid === undefined ? {} : { uid: existing.metadata.uid }) }
    const data = object.kind === 'Secret' ? { data: withoutParts(object['data']) } : {}
    const reply = await client.request({
      method: 'PATCH',
      path: objectPath(ref) ?? '',
      query: { fieldManager: controllerName, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: { ...object, metadata, ...data },
      signal,
    })
    metrics.countWrite(object.kind, outcomeOf(reply))
    if (reply.kind === 'unreachable') return { kind: 'away' }
    if (reply.status >= 300) return refused(ref, reply, existing !== undefined)
    const version = readObject(reply.body)?.metadata.resourceVersion
    applied.set(refKey(ref), { digest: digestOf(object), atMs: now(), version })
    if (version !== existing?.metadata.resourceVersion) log.info({ object: titleOf(ref) }, 'applied')
    return undefined
  }

  /**
   * The Secret as it is once it has its random parts. They are written only where they are missing, so that every controller keeps the
   * same; where another was first, that is a conflict.
   */
  async function readSecret(desired: KubeObject, path: string, signal: AbortSignal): Promise<ApiReply> {
    const reply = await client.request({ method: 'GET', path, signal })
    const kind = kindOfObject(desired)
    if (reply.kind === 'unreachable' || kind === undefined) return reply
    const data = missingParts(reply.body, random)
    if (reply.status === 404) {
      const { name, namespace, labels, ownerReferences } = desired.metadata
      const metadata = { name, namespace, labels: ownLabels(labels), ownerReferences }
      const body = { apiVersion: desired.apiVersion, kind: desired.kind, metadata, data }
      return await write({ method: 'POST', path: collectionPath(kind, namespace ?? ''), body }, signal)
    }
    const existing = reply.status === 200 ? readObject(reply.body) : undefined
    if (existing === undefined || !isOwn(existing, desired) || Object.keys(data).length === 0) return reply
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

  function refused(ref: ObjectRef, reply: Extract<ApiReply, { kind: 'reply' }>, isThere: boolean): Stop {
    // Another writer was first, or the API server is busy: neither is anybody's fault.
    if (reply.status === 409 || reply.status === 429 || reply.status >= 500) {
      log.debug({ object: titleOf(ref), status: reply.status, text: statusText(reply.body) }, 'not applied')
      return { kind: 'away' }
    }
    return { kind: 'fault', text: refusalSentence(ref, reply, isThere), outcome: 'later', isForbidden: reply.status === 403 }
  }

  return {
    tasks(plans, held = new Set()) {
      const objects = plans.flatMap((plan) => plan.objects)
      const known = new Set(objects.map((object) => refKey(refOf(object))))
      applied = new Map([...applied].filter(([key]) => known.has(key)))
      const names = new Set(plans.map(nameKey))
      faults = new Map([...faults].filter(([key]) => names.has(key)))
      return plans.flatMap((plan) => {
        const key = nameKey(plan)
        if (held.has(key)) return []
        const due = plan.objects.flatMap((object) => {
          const digest = digestOf(object)
          const atMs = dueAt(object, digest)
          return atMs === undefined ? [] : [{ object, digest, atMs }]
        })
        if (due.length === 0) {
          if (faults.delete(key)) onFault()
          return []
        }
        const notBeforeMs = Math.min(...due.map(({ atMs }) => atMs))
        // What failed over one version may go well over the next.
        const wish = due.map(({ object, digest }) => `${digest} ${seen(refOf(object))}`).join()
        const wanted = due.map(({ object }) => object)
        return [{ key: `gateway ${key}`, rank: 1, wish, notBeforeMs, run: (signal: AbortSignal) => run(key, wanted, signal) }]
      })
    },
    faults: () => faults,
  }
}

/** Labels that never change, as what is created with them can't be taken away by applying. */
function ownLabels(labels: Readonly<Record<string, string>> | undefined): Raw {
  const name = 'app.kubernetes.io/managed-by'
  return labels?.[name] === undefined ? {} : { [name]: labels[name] }
}

function digestOf(object: KubeObject): string {
  return createHash('sha256').update(JSON.stringify(object)).digest('base64')
}

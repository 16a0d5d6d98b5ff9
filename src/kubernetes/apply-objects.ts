import { createHash } from 'node:crypto'
import { type ApiClient, type ApiReply, statusText } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { collectionPath, kindOfObject, objectPath } from './api-paths.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { GatewayPlan, KubeObject, ObjectRef, OwnerReference, Raw } from './model.ts'
import { missingParts, type RandomBytes, withoutParts } from './random-parts.ts'
import { refusalSentence } from './refusals.ts'
import { nameKey, readObject, refKey, refOf, titleOf } from './world.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'
import { outcomeOf } from './write-status.ts'

export interface Applier {
  /** A task for each Gateway of which something is not, or not surely, as it should be. */
  tasks(plans: readonly GatewayPlan[]): readonly WriteTask[]
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

/** One object's outcome. */
type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'away' }
  | { readonly kind: 'fault'; readonly text: string; readonly isFinal: boolean }

/** What nobody follows is applied again after this time, which repairs what others changed or deleted. */
const resyncMs = 60_000
/** What is followed and was changed by others is applied again this long after the last time at the earliest. */
const repairMs = 1000

/**
 * Writes what Gateways need by server-side apply, the Secret first. An object of that name which does not belong to the Gateway, by its
 * controller reference, is left untouched and becomes a fault.
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
    let fault: string | undefined
    for (const object of objects) {
      // A task that waited for the one before it finds some of its work done.
      if ((dueAt(object, digestOf(object)) ?? Number.POSITIVE_INFINITY) > now()) continue
      const outcome = await apply(object, signal)
      if (signal.aborted) return 'done'
      if (outcome.kind === 'away') return 'soon'
      if (outcome.kind === 'fault') {
        fault ??= outcome.text
        if (outcome.isFinal) break
      }
    }
    if (fault !== faults.get(key)) {
      if (fault === undefined) faults.delete(key)
      else {
        faults.set(key, fault)
        log.warn({ gateway: key, text: fault }, 'what a Gateway needs could not be written')
      }
      onFault()
    }
    return fault === undefined ? 'done' : 'later'
  }

  async function apply(object: KubeObject, signal: AbortSignal): Promise<Outcome> {
    const ref = refOf(object)
    const path = objectPath(ref)
    if (path === undefined) return { kind: 'fault', text: `${titleOf(ref)} is of a kind that mcplex does not write`, isFinal: false }
    const found = object.kind === 'Secret' ? await readSecret(object, path, signal) : await client.request({ method: 'GET', path, signal })
    if (found.kind === 'unreachable') return { kind: 'away' }
    if (found.status >= 300 && found.status !== 404) return refused(ref, found, false)
    const existing = found.status === 404 ? undefined : readObject(found.body)
    if (existing !== undefined && !hasOwner(existing, ownerOf(object))) {
      const text = `${titleOf(ref)} exists and belongs to something else: rename the Gateway or that ${object.kind}`
      return { kind: 'fault', text, isFinal: false }
    }
    // With its uid, so that one which takes its place meanwhile is not written over.
    const metadata = { ...object.metadata, ...(existing?.metadata.uid === undefined ? {} : { uid: existing.metadata.uid }) }
    const data = object.kind === 'Secret' ? { data: withoutParts(object['data']) } : {}
    const reply = await client.request({
      method: 'PATCH',
      path,
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
    return { kind: 'done' }
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
    if (existing === undefined || !hasOwner(existing, ownerOf(desired)) || Object.keys(data).length === 0) return reply
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

  function refused(ref: ObjectRef, reply: Extract<ApiReply, { kind: 'reply' }>, isThere: boolean): Outcome {
    // Another writer was first, or the API server is busy: neither is anybody's fault.
    if (reply.status === 409 || reply.status === 429 || reply.status >= 500) {
      log.debug({ object: titleOf(ref), status: reply.status, text: statusText(reply.body) }, 'not applied')
      return { kind: 'away' }
    }
    return { kind: 'fault', text: refusalSentence(ref, reply, isThere), isFinal: reply.status === 403 }
  }

  return {
    tasks(plans) {
      const objects = plans.flatMap((plan) => plan.objects)
      const known = new Set(objects.map((object) => refKey(refOf(object))))
      applied = new Map([...applied].filter(([key]) => known.has(key)))
      const names = new Set(plans.map(nameKey))
      faults = new Map([...faults].filter(([key]) => names.has(key)))
      return plans.flatMap((plan) => {
        const key = nameKey(plan)
        const due = secretFirst(plan.objects).flatMap((object) => {
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

/** The one that the object is to belong to. */
function ownerOf({ metadata }: KubeObject): OwnerReference | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

function hasOwner(existing: KubeObject, owner: OwnerReference | undefined): boolean {
  return owner !== undefined && ownerOf(existing)?.uid === owner.uid
}

/** Labels that never change, as what is created with them can't be taken away by applying. */
function ownLabels(labels: Readonly<Record<string, string>> | undefined): Raw {
  const name = 'app.kubernetes.io/managed-by'
  return labels?.[name] === undefined ? {} : { [name]: labels[name] }
}

function secretFirst(objects: readonly KubeObject[]): readonly KubeObject[] {
  return [...objects.filter(({ kind }) => kind === 'Secret'), ...objects.filter(({ kind }) => kind !== 'Secret')]
}

function digestOf(object: KubeObject): string {
  return createHash('sha256').update(JSON.stringify(object)).digest('base64')
}

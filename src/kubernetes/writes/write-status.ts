import { createHash } from 'node:crypto'
import { type ApiClient, type ApiReply, statusText as refusalText } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import {
  type DesiredStatus,
  type KubeObject,
  kindOfObject,
  listAt,
  numberAt,
  type ObjectRef,
  objectPath,
  type Raw,
  rawAt,
  refKey,
  refOf,
  slim,
  titleOf,
} from '../objects/objects.ts'
import { leftovers, nextStatus, statusText } from './status-body.ts'
import { outcomeOf, type WriteMetrics } from './write-metrics.ts'
import type { WriteTask } from './write-queue.ts'

/** Writes statuses. */
export interface StatusWriter {
  /** A task for each status that is not what it should be, except those that are held back. */
  tasks(statuses: readonly DesiredStatus[], isHeld?: (desired: DesiredStatus) => boolean): readonly WriteTask[]
  /** Whether a status is not what it should be. */
  isDue(desired: DesiredStatus): boolean
}

/** What writing statuses needs. */
export interface StatusWriterDeps {
  readonly client: ApiClient
  readonly controllerName: string
  /** The object as it was last seen; undefined where it does not exist. */
  readonly find: (ref: ObjectRef) => KubeObject | undefined
  /** Whether the cluster has a GatewayClass of another controller. Without one, no other controller writes statuses. */
  readonly hasOthers: () => boolean
  /** Called when a status has been written, with the object before and after. */
  readonly onWritten: (before: KubeObject, after: KubeObject) => void
  readonly log: Log
  readonly metrics: WriteMetrics
  /** Milliseconds, from any origin. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
}

/** A status that is to be written. */
interface Judged {
  /** The newest known state of the object, and the version that watches have seen. */
  readonly current: KubeObject
  readonly over: string | undefined
  readonly status: Raw
  readonly wish: string
  readonly notBeforeMs: number
}

/** A status that was written. */
interface Written {
  readonly wish: string
  /** The digest of the status as the API server stored it. */
  readonly result: string
  /**
   * The version that watches had seen when it was written, and the object that the API server answered with, which watches may not have
   * seen yet.
   */
  readonly over: string | undefined
  readonly object: KubeObject
  readonly atMs: number
  /** How often the same status was written in a row, because someone else changed it. */
  readonly count: number
}

/** Whether a status is left to another controller that wrote it, and since when that one has not kept up with the object. */
interface OthersStatus {
  readonly isLeft: boolean
  readonly behindSinceMs: number | undefined
}

/** How long to wait before a status that someone else keeps changing is written again, at first and at most. */
const repeatMs = 1000
const maxRepeatMs = 60_000

/** Field managers of the controllers whose kinds these are: statuses are left to them as long as they keep up with the objects. */
const otherController = /agentgateway|kgateway/
/** A controller that has not kept up with an object for this long counts as gone. */
const patienceMs = 60_000

/**
 * Writes statuses by server-side apply, or by a PUT that fails if the object has changed: objects/kinds.ts says which. Entries and conditions
 * of others stay, as does the whole status of a backend that another controller keeps up to date. A status that the API server stores in
 * another form than it was sent is written only once.
 */
export function createStatusWriter(deps: StatusWriterDeps): StatusWriter {
  const { client, controllerName, find, hasOthers, onWritten, log, metrics, now, wallClock } = deps
  /** What was written last, by `refKey` of the objects in the last translation. */
  let written = new Map<string, Written>()
  /** Statuses that others have written, by the same keys. */
  let others = new Map<string, OthersStatus>()
  /** By the same keys, the version of the object that was found to say what is desired, and the desired status as a text. */
  let settled = new Map<string, { readonly version: string | undefined; readonly text: string }>()

  /** What must be written, and when; undefined where nothing must. */
  function judge(desired: DesiredStatus, key: string): Judged | undefined {
    const stored = find(refOf(desired.object))
    if (stored === undefined || isForeign(stored, desired)) return undefined
    const text = JSON.stringify(desired.kind === 'whole' ? desired.status : desired.entries)
    const version = stored.metadata.resourceVersion
    const known = settled.get(key)
    if (known !== undefined && known.version === version && known.text === text) return undefined
    const last = written.get(key)
    const current = last !== undefined && last.over === version ? last.object : stored
    const status = nextStatus(current, desired, controllerName, new Date(wallClock()).toISOString().replace(/\.\d+Z$/, 'Z'))
    if (status === undefined) {
      settled.set(key, { version, text })
      return undefined
    }
    const wish = digestOf(desired.kind === 'whole' ? desired.status : desired.entries)
    if (last?.wish !== wish) return { current, over: version, status, wish, notBeforeMs: 0 }
    if (last.result === digestOf(rawAt(current, 'status'))) return undefined
    return {
      current,
      over: version,
      status,
      wish,
      notBeforeMs: last.atMs + Math.min(maxRepeatMs, repeatMs * 2 ** Math.min(last.count, 10)),
    }
  }

  /**
   * Whether a status that is written whole is left as it is, because another controller has written it. It is not left where the kind is
   * one of mcplex.dev, where no other controller can have the object since no GatewayClass names one, where that controller has not kept up
   * with the object for a while, or where only people or their tools wrote the status.
   */
  function isForeign(object: KubeObject, { kind }: DesiredStatus): boolean {
    if (kind !== 'whole' || kindOfObject(object)?.status !== 'put') return false
    const ref = refOf(object)
    const managers = object.metadata.statusManagers?.filter((manager) => manager !== controllerName) ?? []
    const controller = ref.group === 'mcplex.dev' ? undefined : managers.find((manager) => otherController.test(manager))
    const manager = controller ?? managers[0]
    if (manager === undefined) return false
    const key = refKey(ref)
    const known = others.get(key)
    const behindSinceMs = isBehind(object) ? (known?.behindSinceMs ?? now()) : undefined
    const isLeft = controller !== undefined && hasOthers() && (behindSinceMs === undefined || now() - behindSinceMs < patienceMs)
    others.set(key, { isLeft, behindSinceMs })
    if (known?.isLeft !== isLeft) {
      const what = isLeft ? 'it is left alone' : 'it is written over where it says something else'
      log.warn({ object: titleOf(ref), manager }, `its status is written by something else: ${what}`)
    }
    return isLeft
  }

  async function write(desired: DesiredStatus, key: string, signal: AbortSignal): Promise<'done' | 'soon' | 'later'> {
    const judged = judge(desired, key)
    if (judged === undefined || judged.notBeforeMs > now()) return judged === undefined ? 'done' : 'soon'
    const { current, over, status, wish } = judged
    const kind = kindOfObject(current)
    const path = objectPath(refOf(current))
    if (kind === undefined || path === undefined || kind.status === 'no') return 'done'
    const { apiVersion, metadata } = current
    const { name, namespace, uid, resourceVersion } = metadata
    const named = { name, ...(namespace === undefined ? {} : { namespace }) }
    const left = kind.status === 'apply' ? leftovers(current, desired, controllerName) : undefined
    if (left !== undefined) {
      // Applying removes nothing that another field manager has written.
      const reply = await client.request({
        method: 'PATCH',
        path: `${path}/status`,
        query: { fieldManager: controllerName },
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion }, status: left },
        signal,
      })
      metrics.countWrite(`${kind.kind} status`, outcomeOf(reply))
      if (reply.kind === 'unreachable') return 'soon'
      if (reply.status >= 300) return refused(reply, current)
    }
    const reply = await (kind.status === 'apply'
      ? client.request({
          method: 'PATCH',
          path: `${path}/status`,
          query: { fieldManager: controllerName, force: 'true' },
          contentType: 'application/apply-patch+yaml',
          body: { apiVersion, kind: kind.kind, metadata: named, status },
          signal,
        })
      : client.request({
          method: 'PUT',
          path: `${path}/status`,
          query: { fieldManager: controllerName },
          body: {
            apiVersion,
            kind: kind.kind,
            metadata: { ...named, uid, resourceVersion },
            status: { ...rawAt(current, 'status'), ...status },
          },
          signal,
        }))
    metrics.countWrite(`${kind.kind} status`, outcomeOf(reply))
    if (reply.kind === 'unreachable') return 'soon'
    const after = reply.status < 300 ? slim(reply.body) : undefined
    if (after === undefined) return refused(reply, current)
    const last = written.get(key)
    written.set(key, {
      wish,
      result: digestOf(rawAt(after, 'status')),
      over,
      object: after,
      atMs: now(),
      count: last?.wish === wish ? last.count + 1 : 0,
    })
    onWritten(current, after)
    return 'done'
  }

  function refused(reply: Extract<ApiReply, { kind: 'reply' }>, object: KubeObject): 'done' | 'soon' | 'later' {
    // The object is gone or has changed, which its watch will show.
    if (reply.status === 404) return 'done'
    if (reply.status === 409 || reply.status === 429 || reply.status >= 500) return 'soon'
    log.warn({ object: titleOf(refOf(object)), status: reply.status, text: refusalText(reply.body) }, 'its status is refused')
    return 'later'
  }

  return {
    isDue: (desired) => judge(desired, refKey(refOf(desired.object))) !== undefined,
    tasks(statuses, isHeld = () => false) {
      const byKey = new Map(statuses.map((desired) => [refKey(refOf(desired.object)), desired]))
      written = new Map([...written].filter(([key]) => byKey.has(key)))
      settled = new Map([...settled].filter(([key]) => byKey.has(key)))
      others = new Map([...others].filter(([key]) => byKey.has(key)))
      return [...byKey].flatMap(([key, desired]) => {
        const judged = isHeld(desired) ? undefined : judge(desired, key)
        if (judged === undefined) return []
        const { wish, notBeforeMs } = judged
        const rank = kindOfObject(desired.object)?.status === 'apply' ? 2 : 3
        return [{ key: `status ${key}`, rank, wish, notBeforeMs, run: (signal: AbortSignal) => write(desired, key, signal) }]
      })
    },
  }
}

/** Whether conditions in its status are of an older generation. */
function isBehind(object: KubeObject): boolean {
  const { generation = 0 } = object.metadata
  return listAt(object, 'status', 'conditions').some((one) => (numberAt(one, 'observedGeneration') ?? generation) < generation)
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(statusText(value)).digest('base64')
}

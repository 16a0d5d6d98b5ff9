import type { ApiClient } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import { type KubeObject, type ObjectRef, objectPath, readObject, titleOf } from '../objects/objects.ts'
import { outcomeOf, type WriteMetrics } from './write-metrics.ts'
import type { WriteOutcome } from './write-queue.ts'

/** What deleting needs. */
export interface DeleteDeps {
  readonly client: ApiClient
  readonly log: Log
  readonly metrics: WriteMetrics
}

/** What is deleted, and why. */
export interface DeleteOptions {
  readonly isOurs: (object: KubeObject) => boolean
  /** Why it is deleted, for the log: `deleted: its Gateway …`. */
  readonly why: string
  readonly signal: AbortSignal
}

/**
 * Deletes an object if it is ours. The outcome is `done` where no object of ours is there afterwards, `later` where the controller may not
 * read or delete it.
 */
export async function deleteOwn(
  ref: ObjectRef,
  { client, log, metrics }: DeleteDeps,
  { isOurs, why, signal }: DeleteOptions,
): Promise<WriteOutcome> {
  const path = objectPath(ref)
  if (path === undefined) return 'done'
  const found = await client.request({ method: 'GET', path, signal })
  if (found.kind === 'unreachable' || found.status >= 500) return 'soon'
  if (found.status === 404) return 'done'
  const object = found.status < 300 ? readObject(found.body) : undefined
  if (object === undefined) return 'later'
  const { uid } = object.metadata
  if (!isOurs(object) || uid === undefined) return 'done'
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' }
  const reply = await client.request({ method: 'DELETE', path, body, signal })
  metrics.countWrite(ref.kind, outcomeOf(reply))
  if (reply.kind === 'unreachable' || reply.status >= 500 || reply.status === 429) return 'soon'
  if (reply.status < 300) log.info({ object: titleOf(ref) }, `deleted: ${why}`)
  return reply.status < 300 || reply.status === 404 || reply.status === 409 ? 'done' : 'later'
}

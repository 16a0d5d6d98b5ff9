import { type ApiClient, statusText } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { collectionPath, kindOfObject } from './api-paths.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { KubeObject } from './model.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'
import { outcomeOf } from './write-status.ts'

export interface ClassDeps {
  readonly client: ApiClient
  readonly controllerName: string
  readonly log: Log
  readonly metrics: ControllerMetrics
}

/** Tasks that make GatewayClasses; one that is there by then, whosever it is, stays as it is. */
export function classTasks(classes: readonly KubeObject[], deps: ClassDeps): readonly WriteTask[] {
  return classes.map((object) => {
    const { name } = object.metadata
    return { key: `class ${name}`, rank: 0, wish: name, run: (signal: AbortSignal) => create(object, deps, signal) }
  })
}

async function create(object: KubeObject, { client, controllerName, log, metrics }: ClassDeps, signal: AbortSignal): Promise<WriteOutcome> {
  const kind = kindOfObject(object)
  if (kind === undefined) return 'done'
  const path = collectionPath(kind, '')
  const reply = await client.request({ method: 'POST', path, query: { fieldManager: controllerName }, body: object, signal })
  metrics.countWrite(object.kind, outcomeOf(reply))
  if (reply.kind === 'unreachable') return 'soon'
  if (reply.status < 300) log.info({ name: object.metadata.name }, 'GatewayClass created')
  if (reply.status < 300 || reply.status === 409) return 'done'
  log.warn({ name: object.metadata.name, status: reply.status, text: statusText(reply.body) }, 'a GatewayClass could not be made')
  return 'later'
}

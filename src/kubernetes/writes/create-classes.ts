import { type ApiClient, statusText } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import { collectionPath, type KubeObject, kindOfObject } from '../objects/objects.ts'
import { outcomeOf, type WriteMetrics } from './write-metrics.ts'
import type { WriteOutcome, WriteTask } from './write-queue.ts'

/** Creates GatewayClasses. */
export interface ClassMaker {
  /** A task for each of these GatewayClasses that is still to be created. */
  tasks(classes: readonly KubeObject[]): readonly WriteTask[]
}

/** What creating classes needs. */
export interface ClassDeps {
  readonly client: ApiClient
  readonly controllerName: string
  /** Whether the API server is known to serve the object's kind. */
  readonly isServed: (object: KubeObject) => boolean
  /** Whether a class of this name with our controllerName has existed before. */
  readonly wasOurs: (name: string) => boolean
  readonly log: Log
  readonly metrics: WriteMetrics
}

/**
 * Creates each GatewayClass once, and none that existed before: whoever deleted that one wants it gone. A class that exists by then stays as
 * it is, whoever owns it.
 */
export function createClassMaker({ client, controllerName, isServed, wasOurs, log, metrics }: ClassDeps): ClassMaker {
  /** Names of the classes that were created; as many as the settings have. */
  const made = new Set<string>()

  async function create(object: KubeObject, signal: AbortSignal): Promise<WriteOutcome> {
    const { name } = object.metadata
    const kind = kindOfObject(object)
    if (kind === undefined || made.has(name)) return 'done'
    const path = collectionPath(kind, '')
    const reply = await client.request({ method: 'POST', path, query: { fieldManager: controllerName }, body: object, signal })
    metrics.countWrite(object.kind, outcomeOf(reply))
    if (reply.kind === 'unreachable') return 'soon'
    if (reply.status < 300) {
      made.add(name)
      log.info({ name }, 'GatewayClass created')
    }
    if (reply.status < 300 || reply.status === 409) return 'done'
    log.warn({ name, status: reply.status, text: statusText(reply.body) }, 'a GatewayClass could not be made')
    return 'later'
  }

  return {
    tasks: (classes) =>
      classes
        .filter((object) => isServed(object) && !made.has(object.metadata.name) && !wasOurs(object.metadata.name))
        .map((object) => {
          const { name } = object.metadata
          return { key: `class ${name}`, rank: 0, wish: name, run: (signal: AbortSignal) => create(object, signal) }
        }),
  }
}

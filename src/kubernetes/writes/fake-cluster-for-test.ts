import type { ApiClient, ApiReply, ApiRequest, ApiStreamRequest } from '../../kube/kube.ts'
import {
  collectionPath,
  isRaw,
  type KubeObject,
  kindOfObject,
  listAt,
  objectPath,
  type Raw,
  rawAt,
  readObject,
  refOf,
  textAt,
} from '../objects/objects.ts'

/**
 * For tests: an API server's objects in memory, with its rules for versions, statuses and field managers as far as the controller needs
 * them.
 */
export interface FakeCluster {
  /** One for each controller; `close()` breaks off what it has under way, as the end of a process does. */
  client(): ApiClient
  /** As someone else: creates or replaces the object, and its status where it has one. */
  put(object: Raw): void
  remove(object: Raw): void
  get(path: string): KubeObject | undefined
  /** Requests that change something, `METHOD path status`, in their order. */
  readonly writes: readonly string[]
  /** Resolves as soon as it holds after some change or request. */
  until(condition: () => unknown): Promise<void>
  /** Answers instead of the server; undefined: the server does. */
  intercept: (request: ApiRequest | ApiStreamRequest) => ApiReply | undefined
  /** While true watches bring nothing new. */
  isStale: boolean
  /** Wakes watches, after `isStale`. */
  wake(): void
  /** Ends all watches. */
  breakWatches(): void
}

interface Watch {
  readonly end: () => void
  readonly prefix: string
  readonly name: string | undefined
  readonly push: (event: unknown) => void
}

export function createFakeCluster(): FakeCluster {
  const objects = new Map<string, KubeObject>()
  const watches = new Set<Watch>()
  const writes: string[] = []
  const waiting = new Set<() => void>()
  /** By path: statuses as they were last applied. */
  const appliedStatuses = new Map<string, Raw>()
  let held: [KubeObject, string][] = []
  let revision = 1
  let uids = 0

  const changed = () => {
    for (const look of waiting) look()
  }

  function tell(object: KubeObject, type: string): void {
    if (cluster.isStale) {
      held.push([object, type])
      return
    }
    const path = objectPath(refOf(object)) ?? ''
    const kind = kindOfObject(object)
    if (kind === undefined) return
    const collections = [collectionPath(kind, object.metadata.namespace ?? ''), collectionPath({ ...kind, isNamespaced: false }, '')]
    for (const watch of watches) {
      if (!collections.includes(watch.prefix) || (watch.name !== undefined && !path.endsWith(`/${watch.name}`))) continue
      watch.push({ type, object })
    }
  }

  function store(object: Raw, known: KubeObject | undefined): KubeObject {
    const read = readObject(object)
    if (read === undefined) throw new Error('no object')
    const before = known && { ...known, metadata: { ...known.metadata, resourceVersion: '' } }
    const isSpecChanged = JSON.stringify(known?.['spec']) !== JSON.stringify(read['spec'])
    const metadata = {
      creationTimestamp: '2026-01-01T00:00:00Z',
      uid: `uid-${++uids}`,
      ...read.metadata,
      ...(known?.metadata.uid === undefined ? {} : { uid: known.metadata.uid }),
      generation: (known?.metadata.generation ?? 0) + (isSpecChanged || known === undefined ? 1 : 0),
      resourceVersion: '',
    }
    const after = { ...read, metadata }
    // Nothing changed, nothing happens.
    if (known !== undefined && JSON.stringify(before) === JSON.stringify(after)) return known
    const stored = { ...after, metadata: { ...metadata, resourceVersion: String(++revision) } }
    objects.set(objectPath(refOf(stored)) ?? '', stored)
    tell(stored, known === undefined ? 'ADDED' : 'MODIFIED')
    return stored
  }

  function drop(path: string): void {
    const object = objects.get(path)
    if (object === undefined) return
    objects.delete(path)
    tell({ ...object, metadata: { ...object.metadata, resourceVersion: String(++revision) } }, 'DELETED')
  }

  function answer({ method, path, body, query = {}, contentType }: ApiRequest): ApiReply {
    const isStatus = path.endsWith('/status')
    const target = isStatus ? path.slice(0, -'/status'.length) : path
    const known = objects.get(target)
    if (method === 'GET') return known === undefined ? refusal(404, 'not found') : reply(200, known)
    if (method === 'POST') {
      const made = { ...rawAt(body), apiVersion: textAt(body, 'apiVersion'), kind: textAt(body, 'kind') }
      const own = `${path}/${textAt(body, 'metadata', 'name')}`
      if (objects.has(own)) return refusal(409, 'already exists')
      if (textAt(body, 'kind') === 'Event' || textAt(body, 'kind') === 'Lease') return reply(201, keep(own, made))
      return reply(201, store(made, undefined))
    }
    const isApply = contentType === 'application/apply-patch+yaml'
    const isMerge = contentType === 'application/merge-patch+json'
    if (known === undefined && !isApply) return refusal(404, 'not found')
    const wanted = textAt(body, 'metadata', 'resourceVersion')
    if (wanted !== undefined && wanted !== known?.metadata.resourceVersion) return refusal(409, 'the object has been modified')
    const uid = textAt(body, 'metadata', 'uid') ?? textAt(body, 'preconditions', 'uid')
    if (uid !== undefined && uid !== known?.metadata.uid) return refusal(409, 'another uid')
    if (method === 'DELETE') {
      drop(path)
      return reply(200, {})
    }
    if (known !== undefined && isStatus) {
      const manager = query['fieldManager'] ?? ''
      const managers = [...new Set([...(known.metadata.statusManagers ?? []), manager])].sort()
      const [before, sent] = [rawAt(known, 'status'), rawAt(body, 'status')]
      const status = isApply ? applied(before, appliedStatuses.get(target) ?? {}, sent) : isMerge ? merge(before, sent) : sent
      if (isApply) appliedStatuses.set(target, sent)
      return reply(200, store({ ...known, metadata: { ...known.metadata, statusManagers: managers }, status }, known))
    }
    if (known?.kind === 'Lease') return reply(200, keep(path, rawAt(body)))
    return reply(known === undefined ? 201 : 200, store(isRaw(known) ? merge(known, rawAt(body)) : rawAt(body), known))
  }

  /** Of kinds that nobody follows. */
  function keep(path: string, object: Raw): KubeObject {
    const stored = { ...object, metadata: { ...rawAt(object, 'metadata'), resourceVersion: String(++revision) } } as unknown as KubeObject
    objects.set(path, stored)
    return stored
  }

  function createClient(): ApiClient {
    const closed = new AbortController()
    const isGone = (signal: AbortSignal | undefined) => closed.signal.aborted || signal?.aborted === true
    return {
      async request(request) {
        await undefined
        if (isGone(request.signal)) return { kind: 'unreachable', text: 'broken off' }
        const answered = cluster.intercept(request) ?? answer(request)
        if (request.method !== 'GET' && !request.path.includes('/leases')) {
          writes.push(`${request.method} ${request.path} ${answered.kind === 'reply' ? answered.status : 'away'}`)
        }
        const copy = answered.kind === 'reply' ? { ...answered, body: structuredClone(answered.body) } : answered
        changed()
        await undefined
        return isGone(request.signal) ? { kind: 'unreachable', text: 'broken off' } : copy
      },
      async stream(request) {
        const refused = cluster.intercept(request)
        if (refused !== undefined) return refused
        const name = request.query['fieldSelector']?.replace('metadata.name=', '')
        const broken = new AbortController()
        const lines = createLines([request.signal, closed.signal, broken.signal])
        const watch = { prefix: request.path, name, push: lines.push, end: () => broken.abort() }
        if (request.query['sendInitialEvents'] === 'true') {
          const isListed = (path: string) => name === undefined || path.endsWith(`/${name}`)
          for (const [path, object] of objects) if (isIn(request.path, object) && isListed(path)) lines.push({ type: 'ADDED', object })
          const annotations = { 'k8s.io/initial-events-end': 'true' }
          lines.push({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(revision), annotations } } })
        }
        watches.add(watch)
        return { kind: 'stream', lines: lines.read(() => watches.delete(watch)) }
      },
      async close() {
        closed.abort()
      },
    }
  }

  function isIn(collection: string, object: KubeObject): boolean {
    const kind = kindOfObject(object)
    if (kind === undefined) return false
    return [collectionPath(kind, object.metadata.namespace ?? ''), collectionPath({ ...kind, isNamespaced: false }, '')].includes(
      collection,
    )
  }

  const cluster: FakeCluster = {
    client: createClient,
    put(object) {
      const read = readObject(object)
      const known = read && objects.get(objectPath(refOf(read)) ?? '')
      const status = known?.['status'] === undefined ? {} : { status: known['status'] }
      const metadata = { ...known?.metadata, ...rawAt(object, 'metadata') }
      store({ ...status, ...object, metadata }, known)
      changed()
    },
    remove(object) {
      const read = readObject(object)
      if (read !== undefined) drop(objectPath(refOf(read)) ?? '')
      changed()
    },
    get: (path) => objects.get(path),
    writes,
    until(condition) {
      return new Promise((resolve) => {
        const look = () => {
          if (!condition()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    },
    intercept: () => undefined,
    isStale: false,
    breakWatches() {
      for (const watch of watches) watch.end()
    },
    wake() {
      cluster.isStale = false
      const events = held
      held = []
      for (const [object, type] of events) tell(object, type)
    },
  }
  return cluster
}

/** A stream's lines: what is pushed, until one of the signals ends it. */
function createLines(signals: readonly AbortSignal[]) {
  const queue: unknown[] = []
  let wake = () => {}
  const signal = AbortSignal.any([...signals])
  signal.addEventListener('abort', () => wake())
  return {
    push(value: unknown) {
      queue.push(structuredClone(value))
      wake()
    },
    async *read(onEnd: () => void) {
      try {
        while (!signal.aborted) {
          const value = queue.shift()
          if (value !== undefined) yield { kind: 'line', value } as const
          else {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
        yield { kind: 'end', text: undefined } as const
      } finally {
        onEnd()
      }
    },
  }
}

/** A patch; lists are replaced, members that are null are taken away. */
function merge(known: Raw, patch: Raw): Raw {
  const merged: Record<string, unknown> = { ...known }
  for (const [name, value] of Object.entries(patch)) {
    const before = merged[name]
    merged[name] = isRaw(value) && isRaw(before) ? merge(before, value) : value
    if (value === null) delete merged[name]
  }
  return merged
}

const listKeys: Readonly<Record<string, string>> = { listeners: 'name', conditions: 'type' }

/** What comes of applying a status: what was never applied, and isn't spoken of, stays, in lists that have keys too. */
function applied(known: Raw, last: Raw, next: Raw): Raw {
  const kept = Object.entries(known).filter(([name]) => !Object.hasOwn(last, name))
  const lists = Object.entries(listKeys).flatMap(([name, key]) => {
    const keysOf = (status: Raw) => listAt(status, name).map((one) => textAt(one, key))
    const spoken = new Set([...keysOf(last), ...keysOf(next)])
    const others = listAt(known, name).filter((one) => !spoken.has(textAt(one, key)))
    return Object.hasOwn(next, name) ? [[name, [...listAt(next, name), ...others]] as const] : []
  })
  return { ...Object.fromEntries(kept), ...next, ...Object.fromEntries(lists) }
}

function reply(status: number, body: unknown): ApiReply {
  return { kind: 'reply', status, body, retryAfterMs: undefined }
}

/** For tests: what an API server answers with where it refuses. */
export function refusal(status: number, message: string): ApiReply {
  return reply(status, { kind: 'Status', message })
}

/** For tests: the conditions of a status, `Type=Status Reason`. */
export function conditionsIn(status: unknown): readonly string[] {
  return listAt(status, 'conditions').map((one) => `${textAt(one, 'type')}=${textAt(one, 'status')} ${textAt(one, 'reason')}`)
}

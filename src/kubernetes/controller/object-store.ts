import { isDeepStrictEqual } from 'node:util'
import { type ApiClient, type Follower, type FollowState, follow } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import { type Kind, type KubeObject, kinds, nameKey, type ObjectRef, refOf, slim } from '../objects/objects.ts'
import { serviceOf } from '../services/services.ts'

/** The objects of all kinds that are watched in all namespaces, as they were last seen, without what no translation reads. */
export interface ObjectStore {
  objects(): readonly KubeObject[]
  all(ref: Pick<ObjectRef, 'group' | 'kind'>): Iterable<KubeObject>
  find(ref: ObjectRef): KubeObject | undefined
  /** A sentence for each kind that is not known yet. While there are any, a translation would be wrong. */
  missing(): readonly string[]
  /** Whether the watch of this kind is up to date. */
  isSynced(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean
  /** Whether the API server is known not to serve this kind. */
  isAbsent(ref: Pick<ObjectRef, 'group' | 'kind'>): boolean
  close(): void
}

/** Called when objects change. */
export interface StoreEvents {
  /** An object other than an EndpointSlice has changed in what a translation reads. */
  onChange(): void
  /** An EndpointSlice of this Service (`ns/name`) has changed. Not every Service counts. */
  onSlice(service: string): void
  /** Called when only the status or the version of an object has changed. */
  onStatus(object: KubeObject): void
  onInterruption(kind: string): void
}

/**
 * Watches the kinds until `close()`. A kind is known once all its objects have been read, and stays known while the API server is
 * unreachable.
 */
export function createObjectStore(
  client: ApiClient,
  events: StoreEvents,
  deps: { readonly random: () => number; readonly log: Log },
): ObjectStore {
  const shelves = kinds.filter((kind) => kind.isFollowed === 'everywhere').map((kind) => followKind(client, kind, events, deps))
  const shelfOf = (ref: Pick<ObjectRef, 'group' | 'kind'>) => shelves.find(({ kind }) => kind.group === ref.group && kind.kind === ref.kind)
  return {
    objects: () => shelves.flatMap((shelf) => [...shelf.objects.values()]),
    all: (ref) => shelfOf(ref)?.objects.values() ?? [],
    find: (ref) => shelfOf(ref)?.objects.get(nameKey(ref)),
    missing: () => shelves.flatMap((shelf) => (shelf.isKnown() ? [] : [shelf.reason()])),
    isSynced: (ref) => shelfOf(ref)?.state() === 'synced',
    isAbsent: (ref) => shelfOf(ref)?.state() === 'absent',
    close() {
      for (const shelf of shelves) shelf.close()
    },
  }
}

interface Shelf {
  readonly kind: Kind
  /** By `ns/name`; as many as the cluster has. */
  readonly objects: ReadonlyMap<string, KubeObject>
  isKnown(): boolean
  state(): FollowState
  reason(): string
  close(): void
}

function followKind(
  client: ApiClient,
  kind: Kind,
  events: StoreEvents,
  { random, log }: { readonly random: () => number; readonly log: Log },
): Shelf {
  const title = kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
  let objects = new Map<string, KubeObject>()
  let isKnown = false
  let state: FollowState = 'starting'
  let reason = `${title}: not read yet`

  const read = (value: unknown) => {
    const object = slim(withKind(value, kind))
    return object === undefined ? undefined : { key: nameKey(refOf(object)), object }
  }
  const follower: Follower = follow(
    client,
    { group: kind.group, version: kind.version, plural: kind.plural },
    {
      onReset(values) {
        const before = objects
        objects = new Map(values.map(read).flatMap((entry) => (entry === undefined ? [] : [[entry.key, entry.object]])))
        for (const [key, object] of objects) tell(before.get(key), object)
        for (const [key, object] of before) if (!objects.has(key)) changed(object)
      },
      onSet(value) {
        const entry = read(value)
        if (entry === undefined) return
        const before = objects.get(entry.key)
        objects.set(entry.key, entry.object)
        tell(before, entry.object)
      },
      onDelete(value) {
        const entry = read(value)
        const before = entry && objects.get(entry.key)
        if (entry !== undefined && objects.delete(entry.key)) changed(before ?? entry.object)
      },
      onState(next, detail) {
        if (next !== state && (next === 'interrupted' || next === 'forbidden')) events.onInterruption(kind.kind)
        state = next
        const wasKnown = isKnown
        isKnown ||= next === 'synced' || next === 'absent'
        reason = reasonOf(title, next, detail)
        if (isKnown && !wasKnown) events.onChange()
      },
    },
    { random, log },
  )

  /** Reports a change; one of only the status or the version as such. */
  function tell(before: KubeObject | undefined, after: KubeObject): void {
    if (before !== undefined && before.metadata.resourceVersion === after.metadata.resourceVersion) return
    if (before !== undefined && isDeepStrictEqual(translated(before, kind), translated(after, kind))) return events.onStatus(after)
    changed(after)
    if (before !== undefined && kind.kind === 'EndpointSlice' && serviceOf(before) !== serviceOf(after)) changed(before)
  }

  function changed(object: KubeObject): void {
    if (kind.kind === 'EndpointSlice') events.onSlice(serviceOf(object))
    else events.onChange()
  }

  return {
    kind,
    get objects() {
      return objects
    },
    isKnown: () => isKnown,
    state: () => state,
    reason: () => reason,
    close: () => follower.close(),
  }
}

/** What of an object a translation depends on. Where the controller writes the status of its kind, the status is not part of it. */
function translated(object: KubeObject, { status }: Kind): unknown {
  const { resourceVersion, statusManagers, ...metadata } = object.metadata
  return status === 'no' ? { ...object, metadata } : { ...object, metadata, status: undefined }
}

/** Items of a list come without their kind from the API server. */
function withKind(value: unknown, kind: Kind): unknown {
  if (typeof value !== 'object' || value === null || 'kind' in value) return value
  return { apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`, kind: kind.kind, ...value }
}

function reasonOf(title: string, state: FollowState, detail: string | undefined): string {
  const more = detail === undefined ? '' : ` (${detail})`
  if (state === 'forbidden') return `${title}: mcplex may not list and watch them${more}: apply deploy/rbac.yaml, or bind its ClusterRole`
  if (state === 'interrupted') return `${title}: the API server can't be read${more}`
  return `${title}: not read yet${more}`
}

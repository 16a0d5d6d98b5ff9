import { isDeepStrictEqual } from 'node:util'
import { type ApiClient, type Follower, follow } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import { type KubeObject, kindOf, type ObjectRef, refKey } from '../objects/objects.ts'

/** Objects that are watched one by one, as the controller may not list their kind. */
export interface NamedObjects {
  /** Watches these from now on, as far as the bounds allow, and no others. */
  want(refs: readonly ObjectRef[]): void
  objects(): readonly KubeObject[]
  find(ref: ObjectRef): KubeObject | undefined
  /** Whether the object's watch is up to date. */
  isSynced(ref: ObjectRef): boolean
  /** The objects that may not be read, by `refKey`. */
  forbidden(): ReadonlySet<string>
  /**
   * The objects of which it is not known whether they exist, by `refKey`, with why as the end of a sentence. Those that have been waited for
   * less than `patienceMs` are not among them.
   */
  unknown(): ReadonlyMap<string, string>
  /** Whether an object is wanted of which it is not known whether it exists. */
  isUnknown(ref: ObjectRef): boolean
  /** Whether an object is watched and the API server has not answered yet. */
  isAwaited(ref: ObjectRef): boolean
  close(): void
}

/** What watching needs. */
export interface NamedOptions {
  readonly random: () => number
  readonly log: Log
  /** Reduces an object to what is kept of it. */
  readonly slim: (value: unknown) => KubeObject | undefined
  /** Called when what is known of an object has changed. */
  readonly onChange: () => void
  /** How long an answer of the API server is waited for before an object counts as unknown. */
  readonly patienceMs: number
}

interface Entry {
  readonly ref: ObjectRef
  readonly follower: Follower
  readonly patience: NodeJS.Timeout
  object: KubeObject | undefined
  isKnown: boolean
  isForbidden: boolean
  isLate: boolean
}

/** The most watches in all, and for the objects of one namespace: each object has a watch of its own. */
const maxFollowed = 400
const maxOfNamespace = 100

const late = 'which could not be read yet: the API server has not answered; see the log of the controller'
const beyondShare = `which is not read: more than ${maxOfNamespace} Secrets and ConfigMaps are named in its namespace: name fewer`
const beyondAll = `which is not read: more than ${maxFollowed} Secrets and ConfigMaps are named in the cluster: name fewer`

/**
 * Watches what is wanted as long as it is. Whether an object exists, or may be read, is known only from an answer of the API server. Objects
 * that are watched stay watched; new ones are taken from each namespace in turn, so that none takes the room of others.
 */
export function createNamedObjects(client: ApiClient, { random, log, slim, onChange, patienceMs }: NamedOptions): NamedObjects {
  /** By `refKey`; at most `maxFollowed`. */
  const entries = new Map<string, Entry>()
  /** What is wanted and not watched, by `refKey`, with why. As many as were wanted last. */
  let beyond: ReadonlyMap<string, string> = new Map()

  function open(ref: ObjectRef): Entry | undefined {
    const kind = kindOf(ref.group, ref.kind)
    if (kind === undefined) return undefined
    const change = (next: Partial<Pick<Entry, 'object' | 'isKnown' | 'isForbidden' | 'isLate'>>) => {
      const { object, isKnown, isForbidden, isLate } = entry
      Object.assign(entry, next)
      if (entry.isKnown) clearTimeout(entry.patience)
      const isSame = isKnown === entry.isKnown && isForbidden === entry.isForbidden && isLate === entry.isLate
      if (!isSame || !isDeepStrictEqual(object, entry.object)) onChange()
    }
    const entry: Entry = {
      ref,
      object: undefined,
      isKnown: false,
      isForbidden: false,
      isLate: false,
      patience: setTimeout(() => change({ isLate: true }), patienceMs),
      follower: follow(
        client,
        { group: ref.group, version: kind.version, plural: kind.plural, namespace: ref.namespace, name: ref.name },
        {
          onReset: ([value]) => change({ object: value === undefined ? undefined : slim(withKind(value, ref, kind.version)) }),
          onSet: (value) => change({ object: slim(withKind(value, ref, kind.version)) }),
          onDelete: () => change({ object: undefined }),
          onState(state) {
            // An API server that has just started may refuse what it allows a moment later, so what is known stays.
            if (state === 'forbidden') change({ isForbidden: entry.object === undefined, isKnown: true })
            else if (state === 'synced' || state === 'absent') change({ isForbidden: false, isKnown: true })
          },
        },
        { random, log },
      ),
    }
    return entry
  }

  function close(key: string, entry: Entry): void {
    clearTimeout(entry.patience)
    entry.follower.close()
    entries.delete(key)
  }

  /** Opens watches for what there is room for; returns the others, with why there is none. */
  function admit(refs: readonly ObjectRef[]): ReadonlyMap<string, string> {
    const followed = Map.groupBy(entries.values(), ({ ref }) => ref.namespace)
    const left = new Map<string, string>()
    const turns = [...Map.groupBy(refs, ({ namespace }) => namespace)].flatMap(([namespace, own]) =>
      own.map((ref, index) => ({ ref, turn: index + (followed.get(namespace)?.length ?? 0) })),
    )
    for (const { ref, turn } of turns.sort((one, other) => one.turn - other.turn)) {
      const reason = turn >= maxOfNamespace ? beyondShare : entries.size >= maxFollowed ? beyondAll : undefined
      const entry = reason === undefined ? open(ref) : undefined
      if (entry !== undefined) entries.set(refKey(ref), entry)
      else if (reason !== undefined) left.set(refKey(ref), reason)
    }
    return left
  }

  return {
    want(refs) {
      const wanted = new Map(refs.map((ref) => [refKey(ref), ref]))
      for (const [key, entry] of entries) if (!wanted.has(key)) close(key, entry)
      const before = beyond
      beyond = admit([...wanted].flatMap(([key, ref]) => (entries.has(key) ? [] : [ref])))
      if (isDeepStrictEqual(before, beyond)) return
      if (before.size === 0) log.warn({ notRead: beyond.size, maxFollowed, maxOfNamespace }, 'too many Secrets and ConfigMaps are named')
      onChange()
    },
    objects: () => [...entries.values()].flatMap(({ object }) => (object === undefined ? [] : [object])),
    find: (ref) => entries.get(refKey(ref))?.object,
    isSynced: (ref) => entries.get(refKey(ref))?.follower.state === 'synced',
    forbidden: () => new Set([...entries].filter(([, entry]) => entry.isForbidden).map(([key]) => key)),
    unknown: () =>
      new Map([...beyond, ...[...entries].flatMap(([key, entry]) => (!entry.isKnown && entry.isLate ? [[key, late] as const] : []))]),
    isUnknown: (ref) => beyond.has(refKey(ref)) || entries.get(refKey(ref))?.isKnown === false,
    isAwaited: (ref) => entries.get(refKey(ref))?.isKnown === false,
    close() {
      for (const [key, entry] of [...entries]) close(key, entry)
    },
  }
}

function withKind(value: unknown, { group, kind }: ObjectRef, version: string): unknown {
  if (typeof value !== 'object' || value === null || 'kind' in value) return value
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...value }
}

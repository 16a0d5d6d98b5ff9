import { isDeepStrictEqual } from 'node:util'
import { type ApiClient, type Follower, follow } from '../kube/kube.ts'
import type { Log } from '../observe/observe.ts'
import { kindOf } from './kinds.ts'
import type { KubeObject, ObjectRef } from './model.ts'
import { refKey } from './world.ts'

/** Objects that are followed one by one, as the controller may not list their kind. */
export interface NamedObjects {
  /** Follows exactly these from now on. */
  want(refs: readonly ObjectRef[]): void
  objects(): readonly KubeObject[]
  find(ref: ObjectRef): KubeObject | undefined
  /** Whether what is known of it is what there is, and changes arrive. */
  isSynced(ref: ObjectRef): boolean
  /** By `refKey`. */
  forbidden(): ReadonlySet<string>
  /** Of some that are wanted nothing is known yet, and it is too early to take them for missing. */
  isWaiting(): boolean
  close(): void
}

export interface NamedOptions {
  readonly random: () => number
  readonly log: Log
  /** What is kept of an object. */
  readonly slim: (value: unknown) => KubeObject | undefined
  /** What is known of some object, or that nothing can be known of it, has changed. */
  readonly onChange: () => void
  /** How long an object that the API server doesn't speak of may be waited for. */
  readonly patienceMs: number
}

interface Entry {
  readonly follower: Follower
  readonly patience: NodeJS.Timeout
  object: KubeObject | undefined
  isKnown: boolean
  isForbidden: boolean
}

/** Each is a watch of its own; those beyond are taken for missing. */
const maxFollowed = 400

/** Follows what is wanted until it is wanted no more; an object that is gone or forbidden is known to be so. */
export function createNamedObjects(client: ApiClient, { random, log, slim, onChange, patienceMs }: NamedOptions): NamedObjects {
  /** By `refKey`; at most `maxFollowed`. */
  const entries = new Map<string, Entry>()

  function open(ref: ObjectRef): Entry | undefined {
    const kind = kindOf(ref.group, ref.kind)
    if (kind === undefined) return undefined
    const change = (next: Partial<Pick<Entry, 'object' | 'isKnown' | 'isForbidden'>>) => {
      const { object, isKnown, isForbidden } = entry
      Object.assign(entry, next)
      if (entry.isKnown) clearTimeout(entry.patience)
      const isSame = isKnown === entry.isKnown && isForbidden === entry.isForbidden && isDeepStrictEqual(object, entry.object)
      if (!isSame) onChange()
    }
    const entry: Entry = {
      object: undefined,
      isKnown: false,
      isForbidden: false,
      patience: setTimeout(() => change({ isKnown: true }), patienceMs),
      follower: follow(
        client,
        { group: ref.group, version: kind.version, plural: kind.plural, namespace: ref.namespace, name: ref.name },
        {
          onReset: ([value]) => change({ object: value === undefined ? undefined : slim(withKind(value, ref, kind.version)) }),
          onSet: (value) => change({ object: slim(withKind(value, ref, kind.version)) }),
          onDelete: () => change({ object: undefined }),
          onState(state) {
            // An API server that has just started may refuse what it grants a moment later: what is known stays.
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

  return {
    want(refs) {
      const wanted = new Map(refs.slice(0, maxFollowed).map((ref) => [refKey(ref), ref]))
      for (const [key, entry] of entries) if (!wanted.has(key)) close(key, entry)
      for (const [key, ref] of wanted) {
        const entry = entries.has(key) ? undefined : open(ref)
        if (entry !== undefined) entries.set(key, entry)
      }
      if (refs.length > maxFollowed) log.warn({ wanted: refs.length, maxFollowed }, 'too many Secrets and ConfigMaps are named')
    },
    objects: () => [...entries.values()].flatMap(({ object }) => (object === undefined ? [] : [object])),
    find: (ref) => entries.get(refKey(ref))?.object,
    isSynced: (ref) => entries.get(refKey(ref))?.follower.state === 'synced',
    forbidden: () => new Set([...entries].filter(([, entry]) => entry.isForbidden).map(([key]) => key)),
    isWaiting: () => [...entries.values()].some((entry) => !entry.isKnown),
    close() {
      for (const [key, entry] of [...entries]) close(key, entry)
    },
  }
}

function withKind(value: unknown, { group, kind }: ObjectRef, version: string): unknown {
  if (typeof value !== 'object' || value === null || 'kind' in value) return value
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...value }
}

import { createHash } from 'node:crypto'
import type { ApiClient } from '../../kube/kube.ts'
import { type KubeObject, listAt, type Raw, rawAt, textAt, valueAt } from '../objects/objects.ts'

/** Writes an Event where a condition of an object becomes bad, bad for another reason, or good again. */
export interface EventReporter {
  /** Compares the statuses of an object before and after a write. Returns at once. */
  report(before: KubeObject, after: KubeObject): void
}

/** What writing Events needs. */
export interface EventDeps {
  readonly client: ApiClient
  readonly controllerName: string
  /** The signal of the present term as leader; undefined while another leads, and no Event is written. */
  readonly term: () => AbortSignal | undefined
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
}

/** The most Events that wait to be written; further ones are dropped. */
const maxWaiting = 200
/** How many Events there may be of one object, and of the objects of one namespace: at once, and from then on each minute. */
const ofObject = { atOnce: 10, perMinute: 1 }
const ofNamespace = { atOnce: 60, perMinute: 20 }
/** The most objects and namespaces that are remembered; those with the oldest last Event are forgotten first. */
const maxBuckets = 5000
/** The most characters of an Event's message. */
const maxMessage = 1024

/**
 * The name of an Event is a digest of what it says, so that none is written twice. Events are only a convenience: those that can't be written
 * are dropped, as are those beyond the bounds of an object or a namespace.
 */
export function createEventReporter({ client, controllerName, term, wallClock }: EventDeps): EventReporter {
  const waiting: KubeObject[] = []
  let isBusy = false
  /** How many Events are left, by object and by namespace, sorted by the last Event. */
  const buckets = new Map<string, { readonly left: number; readonly atMs: number }>()

  function leftIn(key: string, { atOnce, perMinute }: typeof ofObject): number {
    const bucket = buckets.get(key)
    return bucket === undefined ? atOnce : Math.min(atOnce, bucket.left + (Math.max(0, wallClock() - bucket.atMs) / 60_000) * perMinute)
  }

  function mayTell({ metadata: { uid, namespace, name } }: KubeObject): boolean {
    const spent = [
      [`object ${uid ?? `${namespace}/${name}`}`, ofObject],
      [`namespace ${namespace}`, ofNamespace],
    ] as const
    const after = spent.map(([key, size]) => [key, leftIn(key, size) - 1] as const)
    if (after.some(([, left]) => left < 0)) return false
    for (const [key, left] of after) {
      buckets.delete(key)
      buckets.set(key, { left, atMs: wallClock() })
    }
    for (const key of buckets.keys()) {
      if (buckets.size <= maxBuckets) break
      buckets.delete(key)
    }
    return true
  }

  async function work(): Promise<void> {
    isBusy = true
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      const signal = term()
      if (signal === undefined) continue
      const path = `/api/v1/namespaces/${event.metadata.namespace}/events`
      await client.request({ method: 'POST', path, query: { fieldManager: controllerName }, body: event, signal })
    }
    isBusy = false
  }

  return {
    report(before, after) {
      // An Event about a cluster-scoped object would need a namespace that the controller may write in.
      if (after.metadata.namespace === undefined) return
      for (const change of changesOf(placesOf(before, controllerName), placesOf(after, controllerName))) {
        if (waiting.length < maxWaiting && mayTell(after)) waiting.push(eventOf(after, change, controllerName, wallClock()))
      }
      if (!isBusy && waiting.length > 0) void work()
    },
  }
}

interface Judged {
  readonly isBad: boolean
  readonly reason: string
  readonly text: string
  /** Since when it is so; empty where the condition does not say. */
  readonly since: string
}

/** The conditions of one place in a status, by type. */
type Place = ReadonlyMap<string, Judged>

/** Types of conditions that are bad where they are True. */
const negative = new Set(['Conflicted', 'PartiallyInvalid'])
/** Reasons that pass by themselves in the usual course, so that nobody needs to act. */
const passing = new Set(['Pending', 'AddressNotAssigned'])

/**
 * The conditions that changed. Those of a place that does not exist any more do not count: a route whose Gateway is gone is not better for
 * that.
 */
function changesOf(before: ReadonlyMap<string, Place>, after: ReadonlyMap<string, Place>): readonly Judged[] {
  const changes: Judged[] = []
  for (const [place, conditions] of after) {
    const known = before.get(place)
    for (const [type, now] of conditions) {
      const then = known?.get(type)
      if (now.isBad ? !then?.isBad || then.text !== now.text : then?.isBad) changes.push(now)
    }
    // Conditions of these types are left out where all is well; the absence of any other says nothing.
    for (const [type, then] of known ?? []) {
      if (then.isBad && negative.has(type) && !conditions.has(type))
        changes.push({ ...then, isBad: false, reason: 'Resolved', text: `no longer: ${then.text}` })
    }
  }
  return changes
}

/** All our conditions in a status, by their place. */
function placesOf(object: KubeObject, controllerName: string): ReadonlyMap<string, Place> {
  const status = rawAt(object, 'status')
  const places: [string, unknown][] = [['', status]]
  for (const listener of listAt(status, 'listeners')) places.push([`listener ${textAt(listener, 'name')}: `, listener])
  for (const entry of [...listAt(status, 'parents'), ...listAt(status, 'ancestors')]) {
    if (textAt(entry, 'controllerName') !== controllerName) continue
    places.push([`${placeOf(valueAt(entry, 'parentRef') ?? valueAt(entry, 'ancestorRef'))}: `, entry])
  }
  return new Map(places.map(([place, holder]) => [place, new Map(listAt(holder, 'conditions').flatMap((one) => judge(place, one)))]))
}

function judge(place: string, condition: unknown): [string, Judged][] {
  const type = textAt(condition, 'type')
  const reason = textAt(condition, 'reason') ?? ''
  const status = textAt(condition, 'status')
  // A listener is Programmed together with its Gateway, of which there is an Event already.
  if (type === undefined || status === undefined || status === 'Unknown' || (type === 'Programmed' && place !== '')) return []
  const isBad = (status === 'True') === negative.has(type) && !passing.has(reason)
  const since = textAt(condition, 'lastTransitionTime') ?? ''
  return [[type, { isBad, reason, since, text: `${place}${type}: ${textAt(condition, 'message') ?? reason}` }]]
}

function placeOf(ref: unknown): string {
  const section = textAt(ref, 'sectionName')
  return `${textAt(ref, 'kind') ?? 'Gateway'} ${textAt(ref, 'name')}${section === undefined ? '' : ` ${section}`}`
}

function eventOf(object: KubeObject, { isBad, reason, text, since }: Judged, controllerName: string, ms: number): KubeObject {
  const { apiVersion, kind, metadata } = object
  const { name, namespace = '', uid, generation, resourceVersion } = metadata
  const message = text.length > maxMessage ? `${text.slice(0, maxMessage - 1)}…` : text
  const told = JSON.stringify([uid, generation, isBad, reason, message, since])
  const time = new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
  const involvedObject: Raw = { apiVersion, kind, name, namespace, uid, resourceVersion }
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 200)}.${createHash('sha256').update(told).digest('hex').slice(0, 16)}`, namespace },
    involvedObject,
    type: isBad ? 'Warning' : 'Normal',
    reason: reason === '' ? 'Changed' : reason,
    message,
    source: { component: controllerName },
    reportingComponent: controllerName,
    reportingInstance: '',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  }
}

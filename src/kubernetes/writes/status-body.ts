import { type DesiredStatus, isRaw, type KubeObject, kindOfObject, listAt, type Raw, rawAt, textAt } from '../objects/objects.ts'

/** The most entries of a status's list (Gateway API). */
const maxEntries = { parents: 32, ancestors: 16 } as const
const refMember = { parents: 'parentRef', ancestors: 'ancestorRef' } as const

/**
 * The members of `status` to be written so that it says what is desired; undefined where it does already, apart from times. A condition whose
 * status does not change keeps its `lastTransitionTime`. Entries of other controllers stay as they are, in their order.
 * @param time RFC 3339, the `lastTransitionTime` of conditions that change
 */
export function nextStatus(current: KubeObject, desired: DesiredStatus, controllerName: string, time: string): Raw | undefined {
  const status = rawAt(current, 'status')
  const wanted = desired.kind === 'whole' ? wholeStatus(status, desired.status, time) : entriesStatus(status, desired, controllerName, time)
  // Applying without a member removes it, so members that are not desired any more count too.
  const members = kindOfObject(current)?.status === 'apply' ? Object.keys({ ...status, ...wanted }) : Object.keys(wanted)
  return statusText(picked(status, members)) === statusText(picked(wanted, members)) ? undefined : wanted
}

/**
 * A merge patch that removes what other field managers left in a status of ours: listeners that do not exist any more, and addresses where
 * there are none. Undefined where there is nothing to remove. Conditions of other types stay.
 */
export function leftovers(current: KubeObject, desired: DesiredStatus, controllerName: string): Raw | undefined {
  const isAlone = current.metadata.statusManagers?.every((manager) => manager === controllerName) ?? true
  if (desired.kind !== 'whole' || isAlone) return undefined
  const names = new Set(listAt(desired.status, 'listeners').map((one) => textAt(one, 'name')))
  const listeners = listAt(current, 'status', 'listeners')
  const kept = listeners.filter((one) => names.has(textAt(one, 'name')))
  const hasAddresses = listAt(current, 'status', 'addresses').length > 0 && desired.status['addresses'] === undefined
  if (kept.length === listeners.length && !hasAddresses) return undefined
  return { ...(kept.length < listeners.length ? { listeners: kept } : {}), ...(hasAddresses ? { addresses: null } : {}) }
}

function picked(from: Raw, members: readonly string[]): Raw {
  return Object.fromEntries(members.map((name) => [name, from[name]]))
}

/**
 * A status as a text by which statuses are compared. Times, the order of lists with keys, empty lists and null make no difference.
 */
export function statusText(status: unknown): string {
  return JSON.stringify(ordered(status, '')) ?? ''
}

function wholeStatus(current: Raw, desired: Raw, time: string): Raw {
  return Object.fromEntries(
    Object.entries(desired).map(([name, value]) => {
      if (name === 'conditions') return [name, withTimes(value, current['conditions'], time)]
      if (name !== 'listeners' || !Array.isArray(value)) return [name, value]
      const before = listAt(current, 'listeners')
      return [
        name,
        value.map((listener: unknown) => {
          const known = before.find((one) => textAt(one, 'name') === textAt(listener, 'name'))
          return { ...rawAt(listener), conditions: withTimes(rawAt(listener)['conditions'], rawAt(known)['conditions'], time) }
        }),
      ]
    }),
  )
}

function entriesStatus(
  current: Raw,
  { list, entries }: Extract<DesiredStatus, { kind: 'entries' }>,
  controllerName: string,
  time: string,
): Raw {
  const before = listAt(current, list)
  const member = refMember[list]
  const keyOf = (entry: unknown) => statusText(rawAt(entry, member))
  const isOurs = (entry: unknown) => textAt(entry, 'controllerName') === controllerName
  const left = new Map(entries.map((entry) => [keyOf(entry), entry]))
  const after = before.flatMap((entry) => {
    if (!isOurs(entry)) return [entry]
    const wanted = left.get(keyOf(entry))
    if (wanted === undefined) return []
    left.delete(keyOf(entry))
    return [{ ...wanted, conditions: withTimes(wanted['conditions'], rawAt(entry)['conditions'], time) }]
  })
  const added = [...left.values()].map((entry) => ({ ...entry, conditions: withTimes(entry['conditions'], undefined, time) }))
  return { [list]: [...after, ...added.slice(0, Math.max(0, maxEntries[list] - after.length))] }
}

function withTimes(conditions: unknown, before: unknown, time: string): readonly Raw[] {
  const known = listAt({ before }, 'before')
  return listAt({ conditions }, 'conditions')
    .filter(isRaw)
    .map((condition) => {
      const same = known.find((one) => textAt(one, 'type') === condition['type'] && textAt(one, 'status') === condition['status'])
      return { ...condition, lastTransitionTime: textAt(same, 'lastTransitionTime') ?? time }
    })
}

/** Lists with keys (conditions by type, listeners by name) are sorted by them, as the API server merges them in an order of its own. */
const listKeys = new Map([
  ['conditions', 'type'],
  ['listeners', 'name'],
])

function ordered(value: unknown, name: string): unknown {
  if (Array.isArray(value)) {
    const list = value.map((one) => ordered(one, ''))
    const key = listKeys.get(name)
    return key === undefined ? list : list.sort((one, other) => ((textAt(one, key) ?? '') < (textAt(other, key) ?? '') ? -1 : 1))
  }
  if (!isRaw(value)) return value ?? undefined
  const isSaid = (member: string) => {
    const said = value[member]
    return member !== 'lastTransitionTime' && said !== null && said !== undefined && !(Array.isArray(said) && said.length === 0)
  }
  const members = Object.keys(value).filter(isSaid).sort()
  return Object.fromEntries(members.map((member) => [member, ordered(value[member], member)]))
}

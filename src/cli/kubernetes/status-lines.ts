import { type DesiredStatus, refOf, titleOf } from '../../kubernetes/kubernetes.ts'

type Member = Readonly<Record<string, unknown>>

/** Types of conditions for which True is bad; for all others True is good. */
const negative: readonly unknown[] = ['Conflicted', 'PartiallyInvalid']

/** A line for each condition that isn't good. `Programmed` is left out, since files can't tell what runs. */
export function statusLines(status: DesiredStatus): readonly string[] {
  const title = titleOf(refOf(status.object))
  if (status.kind === 'entries') {
    return status.entries.flatMap((entry) => {
      const at = membersOf(entry['parentRef'] ?? entry['ancestorRef'])
      return linesOf(`${title} at ${at['kind'] ?? 'Gateway'} ${at['name']}`, entry['conditions'])
    })
  }
  const listeners = itemsOf(status.status['listeners']).flatMap((one) => linesOf(`${title}, listener ${one['name']}`, one['conditions']))
  return [...linesOf(title, status.status['conditions']), ...listeners]
}

function linesOf(title: string, conditions: unknown): readonly string[] {
  return itemsOf(conditions).flatMap(({ type, status, reason, message }) =>
    type === 'Programmed' || (status === 'True') !== negative.includes(type) ? [] : [`${title}: ${type} ${status} (${reason}): ${message}`],
  )
}

function itemsOf(list: unknown): readonly Member[] {
  return Array.isArray(list) ? list.map(membersOf) : []
}

function membersOf(value: unknown): Member {
  return typeof value === 'object' && value !== null ? (value as Member) : {}
}

import { type Finding, finding } from '../objects/objects.ts'
import type { Candidate } from '../targets/targets.ts'

/**
 * Gives each candidate a name that no other has, such that no server can take the place of another. Static targets keep their names, even
 * while they are not served. Services of the backend's own namespace keep theirs. A Service of another namespace gets the ending
 * `-<namespace>` where another has its name, or would have it with such an ending. Whose name is still taken is left out.
 * @param namespace of the backend
 */
export function nameServers(
  candidates: readonly Candidate[],
  staticNames: ReadonlySet<string>,
  namespace: string,
): {
  readonly named: readonly Candidate[]
  /** The names that renamed candidates asked for, by the names that they have. */
  readonly renamed: ReadonlyMap<string, string>
  readonly findings: readonly Finding[]
} {
  const selected = candidates.filter((one) => one.isSelected)
  const isOwn = (one: Candidate): boolean => !one.isSelected || namespaceOf(one) === namespace
  const claims = namespacesBy(selected, (one) => one.name)
  const endings = namespacesBy(
    selected.filter((one) => !isOwn(one)),
    ended,
  )
  const isWanted = (one: Candidate): boolean =>
    [...(claims.get(one.name) ?? []), ...(endings.get(one.name) ?? [])].some((other) => other !== namespaceOf(one))
  const nameOf = (one: Candidate): string => (isOwn(one) || !isWanted(one) ? one.name : ended(one))

  const wished = candidates.map((one) => ({ ...one, name: nameOf(one), written: one.name }))
  const own = new Set(wished.filter(isOwn).map((one) => one.name))
  const others = namespacesBy(
    wished.filter((one) => !isOwn(one)),
    (one) => one.name,
  )
  const taken = new Map<string, Candidate>()
  const findings: Finding[] = []
  const named: Candidate[] = []
  const renamed = new Map<string, string>()
  for (const { written, ...candidate } of wished) {
    const { name, places } = candidate
    const isShared = !isOwn(candidate) && (own.has(name) || (others.get(name)?.size ?? 0) > 1)
    if (taken.has(name) || isShared || (candidate.isSelected && staticNames.has(name))) {
      const by = staticNames.has(name) ? 'a static target' : (taken.get(name)?.places.whole ?? 'another Service')
      findings.push(finding('part', 'Invalid', `${places.whole}: the name ${name} is taken by ${by}: give the Service another target name`))
      continue
    }
    if (name !== written) {
      renamed.set(name, written)
      findings.push(finding('nothing', 'Renamed', `${places.whole}: called ${name}, as another namespace has a ${written} too`))
    }
    taken.set(name, candidate)
    named.push(candidate)
  }
  return { named, renamed, findings }
}

function ended(candidate: Candidate): string {
  return `${candidate.name}-${namespaceOf(candidate)}`
}

function namespacesBy(candidates: readonly Candidate[], nameOf: (one: Candidate) => string): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map([...Map.groupBy(candidates, nameOf)].map(([name, group]) => [name, new Set(group.map(namespaceOf))]))
}

function namespaceOf({ service = '' }: Candidate): string {
  return service.slice(0, service.indexOf('/'))
}

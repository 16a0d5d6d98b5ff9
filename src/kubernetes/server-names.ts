import { type Finding, finding } from './finding.ts'
import type { Candidate } from './targets.ts'

/**
 * Gives each candidate a name that no other has, in their order. Selected Services of several namespaces with one name get
 * `-<namespace>` each. A name that a static target has is its own: no Service takes it, wherever it stands and whether it is served or not.
 * What has no name of its own then is left out.
 */
export function nameServers(
  candidates: readonly Candidate[],
  staticNames: ReadonlySet<string>,
): { readonly named: readonly Candidate[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const named: Candidate[] = []
  const selected = Map.groupBy(
    candidates.filter((one) => one.isSelected),
    (one) => one.name,
  )
  const taken = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const name = candidate.isSelected ? nameOf(candidate, selected.get(candidate.name) ?? []) : candidate.name
    const other = taken.get(name)
    if (other !== undefined || (candidate.isSelected && staticNames.has(name))) {
      const by = other?.places.whole ?? 'a static target'
      findings.push(
        finding('part', 'Invalid', `${candidate.places.whole}: the name ${name} is taken by ${by}: give the Service another target name`),
      )
      continue
    }
    if (name !== candidate.name)
      findings.push(
        finding('nothing', 'Renamed', `${candidate.places.whole}: called ${name}, as several namespaces have a ${candidate.name}`),
      )
    taken.set(name, candidate)
    named.push({ ...candidate, name })
  }
  return { named, findings }
}

/** @param same all that are selected under its name, itself among them */
function nameOf(candidate: Candidate, same: readonly Candidate[]): string {
  return new Set(same.map(namespaceOf)).size > 1 ? `${candidate.name}-${namespaceOf(candidate)}` : candidate.name
}

function namespaceOf({ service = '' }: Candidate): string {
  return service.slice(0, service.indexOf('/'))
}

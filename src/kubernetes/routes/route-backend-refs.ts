import { type Fault, isRaw, type KubeObject, type Raw, textAt, unknownMembers, valueAt } from '../objects/objects.ts'
import type { BackendRefView } from './route-view.ts'

const unsupported = 'UnsupportedValue'

/** A rule's backendRefs, none of them looked up, and what is wrong with their list. Gateway API, HTTPBackendRef. */
export function readBackendRefs(
  rule: Raw,
  place: string,
  route: KubeObject,
): { readonly views: readonly BackendRefView[]; readonly faults: readonly Fault[] } {
  const list = valueAt(rule, 'backendRefs') ?? []
  const here = `${place}.backendRefs`
  if (!Array.isArray(list)) return { views: [], faults: [{ reason: unsupported, message: `${here} is not a list` }] }
  const own = route.metadata.namespace ?? ''
  return { views: list.map((raw, index) => readBackendRef(raw, `${here}[${index}]`, own)), faults: [] }
}

function readBackendRef(raw: unknown, place: string, ownNamespace: string): BackendRefView {
  const group = valueAt(raw, 'group') ?? ''
  const kind = valueAt(raw, 'kind') ?? 'Service'
  const namespace = valueAt(raw, 'namespace') ?? ownNamespace
  const name = textAt(raw, 'name')
  const weight = valueAt(raw, 'weight') ?? 1
  const fault = (text: string): Fault => ({ reason: unsupported, message: `${place}${text}` })
  const isWeight = typeof weight === 'number' && Number.isInteger(weight) && weight >= 0 && weight <= 1_000_000
  const areTexts = typeof group === 'string' && typeof kind === 'string' && typeof namespace === 'string'
  return {
    place,
    ref: areTexts ? { group, kind, namespace, name: name ?? '' } : { group: '', kind: 'Service', namespace: ownNamespace, name: '' },
    weight: isWeight ? weight : 1,
    faults: [
      ...(isRaw(raw) ? [] : [fault(' is not an object')]),
      ...(areTexts ? [] : [fault(': group, kind and namespace must be texts')]),
      ...(isRaw(raw) && name === undefined ? [fault(' has no name: name a Backend')] : []),
      ...(isWeight ? [] : [fault('.weight is not a whole number from 0 to 1000000')]),
      ...filterFaults(raw, place),
      ...unknownMembers(raw, ['group', 'kind', 'name', 'namespace', 'port', 'weight', 'filters']).map((member) =>
        fault(`.${member} is not known to this version of mcplex: leave it out`),
      ),
    ],
  }
}

/** Each filter of a rule or backendRef but CORS, which lets more through: what it would do to requests isn't done, so they may not pass. */
export function filterFaults(raw: unknown, place: string): readonly Fault[] {
  const filters = valueAt(raw, 'filters') ?? []
  if (!Array.isArray(filters)) return [{ reason: unsupported, message: `${place}.filters is not a list` }]
  return filters.flatMap((filter, index) => {
    const type = textAt(filter, 'type') ?? 'a filter'
    const instead =
      type === 'RequestHeaderModifier' ? 'give servers their headers by policies.auth of an AgentgatewayBackend' : 'take it out'
    return type === 'CORS' ? [] : [{ reason: unsupported, message: `${place}.filters[${index}]: ${type} is not applied yet: ${instead}` }]
  })
}

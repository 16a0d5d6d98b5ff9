import { type Fault, isRaw, type KubeObject, type Raw, textAt, unknownMembers, valueAt } from '../objects/objects.ts'
import type { BackendRefView } from './route-view.ts'

const unsupported = 'UnsupportedValue'

/**
 * Reads the backendRefs of a rule, and what is wrong with the list of them (Gateway API, HTTPBackendRef). What they name is not looked up.
 */
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

/**
 * A fault for each filter of a rule or backendRef, as filters are not applied and requests may not pass without them. CORS has none:
 * without it fewer pages of other origins get in.
 */
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

import type { KubeObject, ObjectRef } from './object.ts'
import { listAt, valueAt } from './raw.ts'
import { unknownMembers } from './unknown-members.ts'

/**
 * Whether a ReferenceGrant in the namespace of `to` allows objects of the kind and namespace of `from` to refer to it (Gateway API,
 * ReferenceGrant). An entry that is malformed, or has members that mcplex does not know, allows nothing.
 */
export function isGranted(grants: readonly KubeObject[], from: Pick<ObjectRef, 'group' | 'kind' | 'namespace'>, to: ObjectRef): boolean {
  return grants.some(
    (grant) =>
      grant.metadata.namespace === to.namespace &&
      unknownMembers(grant['spec'], ['from', 'to']).length === 0 &&
      listAt(grant, 'spec', 'from').some((one) => isOfKind(one, from, 'namespace') && valueAt(one, 'namespace') === from.namespace) &&
      listAt(grant, 'spec', 'to').some((one) => isOfKind(one, to, 'name') && (valueAt(one, 'name') ?? to.name) === to.name),
  )
}

function isOfKind(entry: unknown, { group, kind }: Pick<ObjectRef, 'group' | 'kind'>, more: string): boolean {
  return (
    (valueAt(entry, 'group') ?? '') === group &&
    valueAt(entry, 'kind') === kind &&
    unknownMembers(entry, ['group', 'kind', more]).length === 0
  )
}

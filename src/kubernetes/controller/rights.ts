import { createHash } from 'node:crypto'
import { defaultSettings, type Kind, type KubeObject, kinds } from '../objects/objects.ts'

/** A rule of a Role or ClusterRole (rbac.authorization.k8s.io/v1, PolicyRule). */
export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** The namespace and the ServiceAccount of the controller in the manifests of `deploy/`. */
const namespace = 'mcplex-system'
const account = 'mcplex'

/** The name of the leader's Lease for the default controllerName. */
const usualLease = 'mcplex-controller'

/** The name of the Lease for which controllers with one controllerName elect their leader. Each controllerName has its own. */
export function leaseNameFor(controllerName: string): string {
  if (controllerName === defaultSettings('').controllerName) return usualLease
  const word = controllerName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '')
  return `${usualLease}-${word}-${createHash('sha256').update(controllerName).digest('hex').slice(0, 8)}`
}

const all: readonly Kind[] = kinds

/**
 * What the controller may do in all namespaces: watch the kinds of the table, write their statuses, create our GatewayClasses and Events. It
 * may read no Secret and no ConfigMap, and create nothing that runs.
 */
export function clusterRules(): readonly PolicyRule[] {
  return merged([
    ...all.flatMap((kind) => (kind.isFollowed === 'everywhere' ? [rule(kind, kind.plural, ['get', 'list', 'watch'])] : [])),
    ...all.flatMap((kind) => (kind.isProvisioned === 'cluster' ? [rule(kind, kind.plural, ['create'])] : [])),
    ...all.flatMap((kind) =>
      kind.status === 'no' ? [] : [rule(kind, `${kind.plural}/status`, [kind.status === 'put' ? 'update' : 'patch'])],
    ),
    { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  ])
}

/**
 * What it may do in a namespace whose Gateways it serves, where a RoleBinding grants it: create what the Gateways need, and read the Secrets
 * and ConfigMaps that objects of that namespace refer to. Who creates Roles must have the rights that they grant: here the proxies' right
 * to their Secret.
 */
export function provisionRules(): readonly PolicyRule[] {
  return merged(
    all.flatMap((kind) => {
      const verbs = [
        ...(kind.isFollowed === 'by-name' ? ['get', 'list', 'watch'] : []),
        ...(kind.isProvisioned === 'namespace' ? ['get', 'create', 'patch', 'delete'] : []),
      ]
      return verbs.length === 0 ? [] : [rule(kind, kind.plural, [...new Set(verbs)])]
    }),
  )
}

/** What it may do in its own namespace: take and release the leader's Lease. */
export function leaseRules(): readonly PolicyRule[] {
  const lease = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] }
  return [
    { ...lease, verbs: ['create'] },
    { ...lease, resourceNames: [usualLease], verbs: ['get', 'update'] },
  ]
}

/**
 * The objects of `deploy/rbac.yaml`: the controller's namespace, ServiceAccount and roles. The last role is bound in no namespace: whoever
 * installs mcplex decides in which.
 */
export function rightsObjects(): readonly KubeObject[] {
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }]
  const labels = { 'app.kubernetes.io/name': 'mcplex' }
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const roleRef = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
  const restricted = Object.fromEntries(['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']))
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { ...labels, ...restricted } } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace, labels } },
    { ...rbac, kind: 'ClusterRole', metadata: { name: 'mcplex-controller', labels }, rules: clusterRules() },
    {
      ...rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'mcplex-controller', labels },
      roleRef: roleRef('ClusterRole', 'mcplex-controller'),
      subjects,
    },
    { ...rbac, kind: 'Role', metadata: { name: 'mcplex-lead', namespace, labels }, rules: leaseRules() },
    {
      ...rbac,
      kind: 'RoleBinding',
      metadata: { name: 'mcplex-lead', namespace, labels },
      roleRef: roleRef('Role', 'mcplex-lead'),
      subjects,
    },
    { ...rbac, kind: 'ClusterRole', metadata: { name: 'mcplex-provisioner', labels }, rules: provisionRules() },
  ]
}

function rule({ group }: Kind, resource: string, verbs: readonly string[]): PolicyRule {
  return { apiGroups: [group], resources: [resource], verbs }
}

/** Joins rules for the same group with the same verbs. */
function merged(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const byKey = new Map<string, PolicyRule>()
  for (const one of rules) {
    const key = JSON.stringify([one.apiGroups, one.verbs])
    const known = byKey.get(key)
    byKey.set(key, known === undefined ? one : { ...known, resources: [...known.resources, ...one.resources] })
  }
  return [...byKey.values()]
}

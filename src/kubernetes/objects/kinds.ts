/** The API group of the Gateway API. */
export const gatewayGroup = 'gateway.networking.k8s.io'

/** A kind of object that the controller reads or writes. */
export interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly isNamespaced: boolean
  /** How it is watched: in all namespaces, single objects that others name, or not at all because it is only written. */
  readonly isFollowed: 'everywhere' | 'by-name' | 'no'
  /** Whether a cluster may lack its CustomResourceDefinition; then it has no objects until the definition is installed. */
  readonly isOptional: boolean
  /** How its status is written: server-side apply, a PUT with resourceVersion, or not at all. */
  readonly status: 'apply' | 'put' | 'no'
  /** Whether the controller creates it: once for the cluster, or in the namespace of each Gateway. */
  readonly isProvisioned: 'cluster' | 'namespace' | 'no'
}

const gatewayApi = { group: gatewayGroup, isNamespaced: true, isFollowed: 'everywhere', isProvisioned: 'no' } as const
const agentgateway = {
  group: 'agentgateway.dev',
  version: 'v1alpha1',
  isNamespaced: true,
  isFollowed: 'everywhere',
  isOptional: true,
} as const
const core = { group: '', version: 'v1', isNamespaced: true, isOptional: false, status: 'no' } as const
const own = { isNamespaced: true, isFollowed: 'no', isOptional: false, status: 'no', isProvisioned: 'namespace' } as const

/** Every kind that the controller reads or writes. What it watches and its RBAC rules come from this table. */
export const kinds = [
  {
    ...gatewayApi,
    version: 'v1',
    kind: 'GatewayClass',
    plural: 'gatewayclasses',
    isNamespaced: false,
    isOptional: true,
    status: 'apply',
    isProvisioned: 'cluster',
  },
  { ...gatewayApi, version: 'v1', kind: 'Gateway', plural: 'gateways', isOptional: true, status: 'apply' },
  { ...gatewayApi, version: 'v1', kind: 'HTTPRoute', plural: 'httproutes', isOptional: true, status: 'put' },
  { ...gatewayApi, version: 'v1beta1', kind: 'ReferenceGrant', plural: 'referencegrants', isOptional: true, status: 'no' },
  {
    group: 'gateway.kgateway.dev',
    version: 'v1alpha1',
    kind: 'Backend',
    plural: 'backends',
    isNamespaced: true,
    isFollowed: 'everywhere',
    isOptional: true,
    status: 'put',
    isProvisioned: 'no',
  },
  { ...agentgateway, kind: 'AgentgatewayBackend', plural: 'agentgatewaybackends', status: 'put', isProvisioned: 'no' },
  { ...agentgateway, kind: 'AgentgatewayPolicy', plural: 'agentgatewaypolicies', status: 'put', isProvisioned: 'no' },
  {
    group: 'mcplex.dev',
    version: 'v1alpha1',
    kind: 'Agent',
    plural: 'agents',
    isNamespaced: true,
    isFollowed: 'everywhere',
    isOptional: true,
    status: 'put',
    isProvisioned: 'no',
  },
  {
    group: 'mcplex.dev',
    version: 'v1alpha1',
    kind: 'GatewayParameters',
    plural: 'gatewayparameters',
    isNamespaced: true,
    isFollowed: 'everywhere',
    isOptional: true,
    status: 'no',
    isProvisioned: 'no',
  },
  { ...core, kind: 'Namespace', plural: 'namespaces', isNamespaced: false, isFollowed: 'everywhere', isProvisioned: 'no' },
  { ...core, kind: 'Service', plural: 'services', isFollowed: 'everywhere', isProvisioned: 'namespace' },
  { ...core, group: 'discovery.k8s.io', kind: 'EndpointSlice', plural: 'endpointslices', isFollowed: 'everywhere', isProvisioned: 'no' },
  { ...core, kind: 'Secret', plural: 'secrets', isFollowed: 'by-name', isProvisioned: 'namespace' },
  { ...core, kind: 'ConfigMap', plural: 'configmaps', isFollowed: 'by-name', isProvisioned: 'no' },
  { ...own, group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' },
  { ...own, group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'Role', plural: 'roles' },
  { ...own, group: 'rbac.authorization.k8s.io', version: 'v1', kind: 'RoleBinding', plural: 'rolebindings' },
  { ...own, group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments' },
  { ...own, group: 'policy', version: 'v1', kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets' },
  { ...own, group: 'autoscaling', version: 'v2', kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers' },
] as const satisfies readonly Kind[]

/** The kind of this group and name, if the controller deals with it. */
export function kindOf(group: string, kind: string): Kind | undefined {
  return kinds.find((one) => one.group === group && one.kind === kind)
}

/** The `apiVersion` of its objects, such as `v1` or `apps/v1`. */
export function apiVersionOf({ group, version }: Pick<Kind, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`
}

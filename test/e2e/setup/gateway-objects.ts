import type { AdminApi } from './admin-api.ts'
import type { ApiObject } from './kubectl.ts'

const made = ['secrets', 'services', 'serviceaccounts', 'roles', 'rolebindings', 'deployments', 'poddisruptionbudgets']

/** What was made for the Gateways of a namespace. */
export async function gatewayObjects(api: AdminApi, namespace: string): Promise<readonly ApiObject[]> {
  const lists = await Promise.all(made.map((resource) => api.list(resource, namespace)))
  return lists.flat().filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] !== undefined)
}

/** What an object says, without what the API server and Kubernetes' own controllers add, times, and what is made at random. */
export function likeOf({ metadata, status, data, ...rest }: ApiObject): unknown {
  const { name, labels, annotations = {}, generation } = metadata
  const { 'deployment.kubernetes.io/revision': _, ...notes } = annotations
  const owners = metadata.ownerReferences?.map(({ kind, name }) => `${kind} ${name}`)
  const isOurs = /gateway/.test(rest.apiVersion)
  const like = {
    name,
    labels,
    notes,
    owners,
    ...rest,
    ...(isOurs ? { status: statusOf(status) } : {}),
    ...(data === undefined ? {} : { data: dataOf(data) }),
  }
  return JSON.parse(
    JSON.stringify(like, (key, value) => {
      if (assigned.has(key)) return undefined
      return key === 'observedGeneration' ? value === generation : value
    }),
  )
}

const assigned = new Set(['lastTransitionTime', 'clusterIP', 'clusterIPs', 'nodePort'])

/** One without entries is like none. */
function statusOf(status: unknown): unknown {
  return { parents: [], ...(status as object | undefined) }
}

/** Routes of one age are in the order of their names, others are not. */
function dataOf(data: unknown): unknown {
  const { 'config.json': config = '', ...others } = data as Readonly<Record<string, string>>
  const document = JSON.parse(atob(config)) as { readonly routes: readonly { readonly name: string }[] }
  return {
    document: { ...document, routes: document.routes.toSorted((one, other) => (one.name < other.name ? -1 : 1)) },
    others: Object.keys(others).sort(),
  }
}

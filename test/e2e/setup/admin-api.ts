import type { TestContext } from 'node:test'
import { type ApiRequest, createApiClient } from '../../../src/kube/kube.ts'
import { atEnd } from './at-end.ts'
import type { Cluster } from './cluster.ts'
import type { ApiObject } from './kubectl.ts'

/** An object as a test writes it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string; readonly [member: string]: unknown }
  readonly [member: string]: unknown
}

/** The API server as an administrator, over kept connections: milliseconds where kubectl takes hundreds. What is refused throws. */
export interface AdminApi {
  create(...objects: readonly Manifest[]): Promise<void>
  get(resource: string, namespace: string, name: string): Promise<ApiObject>
  list(resource: string, namespace: string): Promise<readonly ApiObject[]>
  /** A merge patch; gives the object. */
  patch(resource: string, namespace: string, name: string, change: unknown): Promise<ApiObject>
  /** One that is gone already is no error. */
  delete(resource: string, namespace: string, name: string): Promise<void>
}

/** By the resource, as `kubectl get` takes it in the plural. */
const groups: Readonly<Record<string, string>> = {
  secrets: 'api/v1',
  services: 'api/v1',
  serviceaccounts: 'api/v1',
  deployments: 'apis/apps/v1',
  roles: 'apis/rbac.authorization.k8s.io/v1',
  rolebindings: 'apis/rbac.authorization.k8s.io/v1',
  poddisruptionbudgets: 'apis/policy/v1',
  leases: 'apis/coordination.k8s.io/v1',
  gateways: 'apis/gateway.networking.k8s.io/v1',
  httproutes: 'apis/gateway.networking.k8s.io/v1',
  backends: 'apis/gateway.kgateway.dev/v1alpha1',
}

export function adminApi(t: TestContext, cluster: Cluster): AdminApi {
  const headers = { authorization: `Bearer ${cluster.adminToken}` }
  const identity = { server: cluster.server, tls: { ca: cluster.ca }, namespace: 'default', headers: async () => headers }
  const client = createApiClient(identity, { userAgent: 'mcplex-test' })
  atEnd(t, () => client.close())

  async function ask(request: ApiRequest, accepted: readonly number[] = [200, 201, 202]): Promise<unknown> {
    const reply = await client.request(request)
    if (reply.kind === 'reply' && accepted.includes(reply.status)) return reply.body
    throw new Error(`${request.method} ${request.path}: ${JSON.stringify(reply).slice(0, 1000)}`)
  }
  const pathOf = (resource: string, namespace: string, name?: string) => {
    const group = groups[resource]
    if (group === undefined) throw new Error(`this test's API knows no ${resource}`)
    return `/${group}/namespaces/${namespace}/${resource}${name === undefined ? '' : `/${name}`}`
  }
  return {
    async create(...objects) {
      for (const object of objects) {
        await ask({ method: 'POST', path: pathOf(`${object.kind.toLowerCase()}s`, object.metadata.namespace), body: object })
      }
    },
    get: async (resource, namespace, name) => (await ask({ method: 'GET', path: pathOf(resource, namespace, name) })) as ApiObject,
    async list(resource, namespace) {
      return ((await ask({ method: 'GET', path: pathOf(resource, namespace) })) as { items: readonly ApiObject[] }).items
    },
    async patch(resource, namespace, name, change) {
      const path = pathOf(resource, namespace, name)
      return (await ask({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body: change })) as ApiObject
    },
    async delete(resource, namespace, name) {
      await ask({ method: 'DELETE', path: pathOf(resource, namespace, name) }, [200, 202, 404])
    },
  }
}

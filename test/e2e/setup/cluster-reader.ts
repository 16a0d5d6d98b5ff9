import { Agent, request } from 'node:https'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'
import type { Cluster } from './cluster.ts'
import type { ApiObject } from './kubectl.ts'

/** Where the objects of each kind are. */
const collections = {
  GatewayClass: '/apis/gateway.networking.k8s.io/v1/gatewayclasses',
  Gateway: '/apis/gateway.networking.k8s.io/v1/gateways',
  HTTPRoute: '/apis/gateway.networking.k8s.io/v1/httproutes',
  Backend: '/apis/gateway.kgateway.dev/v1alpha1/backends',
  AgentgatewayBackend: '/apis/agentgateway.dev/v1alpha1/agentgatewaybackends',
  AgentgatewayPolicy: '/apis/agentgateway.dev/v1alpha1/agentgatewaypolicies',
  Agent: '/apis/mcplex.dev/v1alpha1/agents',
  Secret: '/api/v1/secrets',
  Service: '/api/v1/services',
  ServiceAccount: '/api/v1/serviceaccounts',
  Event: '/api/v1/events',
  Role: '/apis/rbac.authorization.k8s.io/v1/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/rolebindings',
  Deployment: '/apis/apps/v1/deployments',
  PodDisruptionBudget: '/apis/policy/v1/poddisruptionbudgets',
} as const

export type ReadKind = keyof typeof collections

/** What `kubectl get` would say, as an administrator, without a process for each question: for tests that ask often. */
export interface ClusterReader {
  /** The object, or undefined where there is none of that name. */
  get(kind: ReadKind, name: string, namespace?: string): Promise<ApiObject | undefined>
  /** Those of all namespaces. */
  list(kind: ReadKind): Promise<readonly ApiObject[]>
}

/** Its connections stay open until the test's end. */
export function readerOf(t: TestContext, { server, ca, adminToken }: Cluster): ClusterReader {
  const agent = new Agent({ keepAlive: true })
  atEnd(t, () => agent.destroy())
  const ask = (path: string) =>
    new Promise<{ readonly status: number | undefined; readonly text: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${adminToken}` }
      const outgoing = request(`${server}${path}`, { agent, ca, headers, timeout: 10_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () => resolve({ status: response.statusCode, text }))
        response.once('error', reject)
      })
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')))
      outgoing.once('error', reject)
      outgoing.end()
    })
  return {
    async get(kind, name, namespace) {
      const collection = collections[kind]
      const path = namespace === undefined ? collection : collection.replace(/(\w+)$/, `namespaces/${namespace}/$1`)
      const { status, text } = await ask(`${path}/${name}`)
      if (status === 404) return undefined
      if (status !== 200) throw new Error(`${kind} ${name}: ${status} ${text}`)
      return JSON.parse(text)
    },
    async list(kind) {
      const { status, text } = await ask(collections[kind])
      if (status !== 200) throw new Error(`${kind}: ${status} ${text}`)
      return JSON.parse(text).items
    },
  }
}

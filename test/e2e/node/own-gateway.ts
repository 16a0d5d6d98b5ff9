import type { Manifest } from '../setup/admin-api.ts'
import type { Kubectl } from '../setup/kubectl.ts'
import { gateway, route } from '../setup/manifests.ts'
import { home } from './scene.ts'

/** Makes a Gateway beside the post's, with parameters of its own and a route to the post's servers, or others, and returns when its pods are ready. */
export async function startOwnGateway(
  cluster: Kubectl,
  name: string,
  parameters: Readonly<Record<string, unknown>>,
  backend = 'mcp-backend',
): Promise<void> {
  await applyAll(
    cluster,
    { apiVersion: 'mcplex.dev/v1alpha1', kind: 'GatewayParameters', metadata: { name, namespace: home }, spec: parameters },
    gateway(home, name, parametersRef(name)),
    route(home, name, { to: name, backend, path: '/mcp' }),
  )
  await cluster.must('wait', '--for=create', `deployment/${name}`, '-n', home, '--timeout=30s')
  await cluster.must('rollout', 'status', `deployment/${name}`, '-n', home, '--timeout=60s')
}

/** Takes it away, with what was made for it. */
export async function endOwnGateway(cluster: Kubectl, name: string): Promise<void> {
  await cluster.must('delete', `gateway/${name}`, `httproute/${name}`, `gatewayparameters/${name}`, '-n', home)
  await cluster.must('wait', '--for=delete', `deployment/${name}`, '-n', home, '--timeout=60s')
}

/** `kubectl apply` of objects. */
export function applyAll(cluster: Kubectl, ...items: readonly Manifest[]): Promise<string> {
  return cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
}

/** In the spec of a Gateway. */
export function parametersRef(name: string): Readonly<Record<string, unknown>> {
  return { infrastructure: { parametersRef: { group: 'mcplex.dev', kind: 'GatewayParameters', name } } }
}

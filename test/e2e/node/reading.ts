import type { ApiObject, Kubectl } from '../setup/kubectl.ts'
import { allOf, modernPost, send } from '../setup/mcp-post.ts'
import { podsOf } from '../setup/pods.ts'
import { home } from './scene.ts'

/** The post's endpoint, at the address that its own command reads. */
export async function urlOfPost(cluster: Kubectl): Promise<string> {
  const address = await cluster.must('get', 'svc', 'agentgateway', '-n', home, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
  return `http://${address}:8080/mcp`
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] }
}

/** How often the containers of each pod were started anew, by the pod's name; of that namespace, or of all. */
export async function restartsOfPods(cluster: Kubectl, namespace?: string): Promise<Readonly<Record<string, number>>> {
  const pods = (await cluster.list('pods', namespace)) as unknown as readonly Pod[]
  const running = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const counted = running.map(
    ({ metadata, status }) =>
      [metadata.name, (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0)] as const,
  )
  return Object.fromEntries(counted)
}

/** The label of what is made for a Gateway. */
export const gatewayName = 'gateway.networking.k8s.io/gateway-name'

/** The addresses of the pods that serve a Gateway of the post's namespace. */
export async function podAddresses(cluster: Kubectl, gateway: string): Promise<readonly string[]> {
  return (await podsOf(cluster, home, `${gatewayName}=${gateway}`)).map(({ address }) => address)
}

interface Listener {
  readonly name: string
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
}

/** What a Gateway's status says of each of its listeners in conditions of that type, such as `http True Programmed`. */
export function listenersSay(gateway: ApiObject, type: string): readonly string[] {
  const { listeners = [] } = (gateway['status'] ?? {}) as { readonly listeners?: readonly Listener[] }
  return listeners.flatMap(({ name, conditions }) =>
    conditions.filter((one) => one.type === type).map(({ status, reason }) => `${name} ${status} ${reason}`),
  )
}

/** The tools that a modern client is listed there, none where nothing is served. */
export async function toolsAt(url: string): Promise<readonly string[]> {
  const [message] = await allOf(await send(url, modernPost(1, 'tools/list', {})))
  const { tools = [] } = (message?.result ?? {}) as { readonly tools?: readonly { readonly name: string }[] }
  return tools.map(({ name }) => name)
}

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { adminApi } from '../setup/admin-api.ts'
import { start } from '../setup/child.ts'
import { condition } from '../setup/cluster-state.ts'
import { kubebox } from '../setup/kubebox.ts'
import { need } from '../setup/part.ts'
import { until } from '../setup/wait.ts'
import { endOwnGateway, startOwnGateway } from './own-gateway.ts'
import { listenersSay } from './reading.ts'
import { home, type Scene } from './scene.ts'
import { inspectorCalls } from './the-post.ts'

const name = 'no-balancer'

/** Where nobody gives the Service an address the status says so, and the command that it names makes the Gateway reachable on this machine. */
export async function isReachedWithoutBalancer(t: TestContext, { cluster }: Scene): Promise<void> {
  const box = await need(t, kubebox())
  if (box === undefined) return
  await startOwnGateway(cluster, name, { service: { loadBalancerClass: 'example.com/nobody' } })
  const api = adminApi(t, cluster)
  const { status, message } = await until('the status', () => condition(api, 'gateways', home, name, 'Programmed', 'AddressNotAssigned'))
  assert.equal(status, 'False')
  await until('a listener that a proxy serves', async () => {
    const said = listenersSay(await api.get('gateways', home, name), 'Programmed')
    return said.join() === 'http True Programmed' ? true : undefined
  })

  const [command = '', ...args] = /kubectl port-forward .*$/.exec(message)?.[0].split(' ') ?? []
  t.diagnostic(`the status says: ${[command, ...args].join(' ')}`)
  const forward = start(t, box.program, [command, ...args], { env: { KUBECONFIG: cluster.kubeconfig } })
  const explain = () => `${forward.stdout()}${forward.stderr()}`
  await until('kubectl port-forward', () => /^Forwarding from 127\.0\.0\.1:8080 /m.exec(forward.stdout()) ?? undefined, { explain })
  for (const version of ['0.16.2', '2.12.0'] as const) await inspectorCalls(t, 'http://localhost:8080/mcp', version)
  assert.ok(forward.isRunning, explain())
  forward.kill('SIGTERM')
  await forward.finished
  await endOwnGateway(cluster, name)
}

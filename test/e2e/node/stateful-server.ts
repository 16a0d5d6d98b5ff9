import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { atEnd } from '../setup/at-end.ts'
import { checkout } from '../setup/cache.ts'
import { backend } from '../setup/manifests.ts'
import { ownMachine } from '../setup/own-machine.ts'
import { podsOf, type RunningPod } from '../setup/pods.ts'
import { until } from '../setup/wait.ts'
import { applyAll } from './own-gateway.ts'
import { home, type Scene } from './scene.ts'

/** What `fixtures/stateful-pod.py` says of a call. */
export interface Run {
  /** As the client called it. */
  readonly call: string
  /** Its name. */
  readonly pod: string
  /** Of that pod. */
  readonly session: string
  readonly count: number
}

/** A Deployment of servers that count in their sessions, behind one Service and one Backend of that name. */
export interface StatefulServer {
  readonly name: string
  /** What has begun anywhere, whether or not an answer came. */
  readonly runs: readonly Run[]
  /** From now on a call of that name gets no answer until it is let go. */
  hold(call: string): void
  letGo(call: string): void
  /** Its pods once so many are ready and no other is left. */
  pods(count: number): Promise<readonly RunningPod[]>
  scale(count: number): Promise<readonly RunningPod[]>
  end(): Promise<void>
}

/** Starts one; returns when its pods are ready. */
export async function statefulServerRuns(t: TestContext, { cluster }: Scene, replicas: number): Promise<StatefulServer> {
  const name = 'stateful'
  const runs: Run[] = []
  const held = new Map<string, () => void>()
  const witness = createServer(async (request, response) => {
    const run: Run = JSON.parse(await text(request))
    runs.push(run)
    if (held.has(run.call)) held.set(run.call, () => response.end())
    else response.end()
  })
  await new Promise<void>((resolve) => witness.listen(0, ownMachine().address, resolve))
  atEnd(t, () => {
    witness.close()
    witness.closeAllConnections()
  })
  const { address, port } = witness.address() as AddressInfo

  const script = await readFile(join(checkout, 'test/e2e/fixtures/stateful-pod.py'), 'utf8')
  const labels = { app: name }
  const container = {
    name: 'server',
    image: 'python:3.11-slim',
    command: ['python', '/app/server.py', `http://${address}:${port}/`],
    ports: [{ containerPort: 8000 }],
    readinessProbe: { httpGet: { path: '/ready', port: 8000 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'script', mountPath: '/app' }],
  }
  // as long as a call may be held
  const terminationGracePeriodSeconds = 120
  const spec = { terminationGracePeriodSeconds, containers: [container], volumes: [{ name: 'script', configMap: { name } }] }
  const metadata = { name, namespace: 'default' }
  const deployment = { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } }
  await applyAll(
    cluster,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'server.py': script } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: 8000 }] } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deployment },
    backend(home, name, [`${name}.default.svc.cluster.local`]),
  )

  const pods: StatefulServer['pods'] = (count) =>
    until(
      `${count} pods of the server`,
      async () => {
        const all = await podsOf(cluster, 'default', `app=${name}`)
        return all.length === count && all.every(({ isReady }) => isReady) ? all : undefined
      },
      { timeoutMs: 60_000, everyMs: 100 },
    )
  await pods(replicas)
  return {
    name,
    runs,
    hold: (call) => held.set(call, () => undefined),
    letGo(call) {
      const go = held.get(call)
      held.delete(call)
      go?.()
    },
    pods,
    async scale(count) {
      await cluster.must('scale', `deployment/${name}`, `--replicas=${count}`)
      return await pods(count)
    },
    async end() {
      await cluster.must('delete', `backends.gateway.kgateway.dev/${name}`, '-n', home)
      await cluster.must('delete', 'deployment,service,configmap', name)
    },
  }
}

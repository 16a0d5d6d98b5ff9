import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { failedCalls, told } from '../setup/load.ts'
import { podsOf } from '../setup/pods.ts'
import { until } from '../setup/wait.ts'
import { callsAt, endpointsAt, loadOn, pairRuns } from './pair.ts'
import { scaleController, withoutController } from './scale-controller.ts'
import { home, type Scene } from './scene.ts'

/** Without a controller calls go on, another pod takes the place of one, and a server is found again at another address. */
export async function controllerAway(t: TestContext, scene: Scene): Promise<void> {
  const { cluster } = scene
  const pair = await pairRuns(scene)
  const load = await loadOn(t, pair)
  await withoutController(t, scene)

  const before = await pair.proxies()
  const [leaving] = before
  await cluster.must('delete', 'pod', leaving.name, '-n', home)
  const proxies = await pair.proxies()
  const fresh = proxies.find(({ uid }) => before.every((known) => known.uid !== uid))
  assert.ok(fresh !== undefined)
  await callsAt(pair.at(fresh), 1)
  await load.goesOn(1)
  await load.stop()
  assert.deepEqual(failedCalls(load), [])
  t.diagnostic(`without a controller, a pod replaced: ${told(load)}`)

  const server = async () => (await podsOf(cluster, 'default', 'app=mcp-math-server')).find(({ isReady }) => isReady)
  const old = await server()
  assert.ok(old !== undefined)
  await cluster.must('delete', 'pod', old.name, '-n', 'default', '--grace-period=1')
  const moved = await until('another pod of the server', server, { timeoutMs: 60_000, everyMs: 100 })
  const readyAt = performance.now()
  assert.notEqual(moved.address, old.address)
  const served = proxies.map(async (proxy) => {
    assert.deepEqual(await endpointsAt(pair, proxy, 'mcp-backend', 'math-mcp-server'), [`${old.address}:8000`])
    const longestMs = await until('the server at its new address', () => callsAt(pair.at(proxy), 50))
    return `${Math.round(performance.now() - readyAt)} ms, with 50 calls the longest of which took ${longestMs} ms`
  })
  t.diagnostic(`a server that was ready at another address was served after ${(await Promise.all(served)).join('; ')}`)

  const backAt = performance.now()
  await scaleController(scene, 2)
  for (const proxy of proxies) {
    await until('its new address in force', async () => {
      const [endpoint] = await endpointsAt(pair, proxy, 'mcp-backend', 'math-mcp-server')
      return endpoint === `${moved.address}:8000` ? true : undefined
    })
  }
  await cluster.must('wait', '--for=condition=Programmed', `gateway/${pair.name}`, '-n', home, '--timeout=30s')
  await cluster.must('wait', '--for=condition=Ready', 'backends.gateway.kgateway.dev/mcp-backend', '-n', home, '--timeout=30s')
  t.diagnostic(`the controller is back, and what it says is true after ${((performance.now() - backAt) / 1000).toFixed(1)} s`)
}

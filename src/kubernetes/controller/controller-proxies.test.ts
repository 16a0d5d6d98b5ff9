import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { ApiRequest } from '../../kube/kube.ts'
import { listAt, rawAt, textAt } from '../objects/objects.ts'
import { conditionsIn } from '../writes/fake-cluster-for-test.ts'
import {
  type Around,
  backend,
  backendPath,
  createShop,
  documentIn,
  gatewayPath,
  isProgrammed,
  isReady,
  ns,
  roundTrip,
  slice,
  slicesPath,
  start,
  startProxies,
} from './shop-for-test.ts'

test('a Gateway is programmed when a proxy serves its document, and its Backend says what proxies know of its servers', async (t) => {
  const cluster = createShop()
  const proxies = await startProxies(t, cluster)
  const { metrics } = start(t, cluster, { proxyPort: proxies.port })
  await proxies.rollOut('127.0.0.1', '127.0.0.2')
  await cluster.until(() => isProgrammed(cluster) && isReady(cluster))
  assert.deepEqual(rawAt(cluster.get(backendPath), 'status', 'mcp'), {
    targets: 1,
    ready: 1,
    tools: 3,
    servers: [{ name: 'math', state: 'ready', era: 'modern', tools: 3 }],
  })
  const text = await metrics.text()
  assert.match(text, /^mcplex_controller_proxies 2$/m)
  assert.match(text, /^mcplex_controller_proxy_polls_total\{outcome="ok"\} [1-9]/m)
  assert.equal(proxies.unauthorized, 0)

  // Events tell when a server is down, and when it is up again.
  const events = () => cluster.writes.filter((write) => write.startsWith(`POST ${ns}/events 201`)).length
  assert.equal(events(), 0)
  proxies.server = { state: 'down', tools: 0, lastError: 'gone' }
  proxies.wake()
  await cluster.until(() => events() === 1)
  assert.ok(conditionsIn(cluster.get(backendPath)?.['status']).includes('Ready=False ServersDown'))
  proxies.server = { state: 'ready', era: 'modern', tools: 4 }
  proxies.wake()
  await cluster.until(() => events() === 2 && isReady(cluster))
  // What proxies say again and again is written once.
  const writes = cluster.writes.length
  await proxies.asked()
  assert.deepEqual(cluster.writes.slice(writes), [])
})

test('what is programmed and ready stays so with a change of the document and with another controller in the lead', async (t) => {
  const cluster = createShop()
  const proxies = await startProxies(t, cluster)
  const later = await startProxies(t, cluster)
  let said: unknown[] = []
  const onRequest = ({ path, body }: ApiRequest) => {
    if (path === `${gatewayPath}/status`) said.push(conditionsIn(rawAt(body, 'status')))
    if (path === `${backendPath}/status`) said.push(conditionsIn(rawAt(body, 'status')), rawAt(body, 'status', 'mcp'))
    return undefined
  }
  const around: Around = { proxyPort: proxies.port, onRequest, skewMs: 0 }
  const one = start(t, cluster, around)
  await proxies.rollOut('127.0.0.1')
  await cluster.until(() => isProgrammed(cluster) && isReady(cluster))
  // The document is no longer new.
  around.skewMs = 5100
  await proxies.asked()
  said = []
  proxies.server = { state: 'connecting', tools: 0 }
  for (const path of ['/one', '/two']) await roundTrip(cluster, path)
  await proxies.asked()
  assert.deepEqual(said, [])

  const two = start(t, cluster, { proxyPort: later.port, onRequest })
  await cluster.until(() => two.controller.readiness().isReady)
  // What the one in the lead writes now, the other one did not know when it looked at the statuses.
  proxies.server = { state: 'ready', era: 'legacy', tools: 5 }
  Object.assign(later, { server: proxies.server, addresses: proxies.addresses })
  proxies.wake()
  await cluster.until(() => textAt(listAt(cluster.get(backendPath), 'status', 'mcp', 'servers')[0], 'era') === 'legacy')
  said = []
  assert.equal(later.polls, 0)
  await one.controller.stop()
  await cluster.until(() => two.controller.isLeader())
  await later.asked()
  await roundTrip(cluster, '/three')
  await later.asked()
  assert.deepEqual(said, [])
})

test('only EndpointSlices of Services that count bring a translation; those of proxies bring questions', async (t) => {
  const cluster = createShop()
  const proxies = await startProxies(t, cluster)
  const around: Around = { proxyPort: proxies.port, skewMs: 0 }
  const { metrics } = start(t, cluster, around)
  const target = { name: 'math', static: { host: 'math.shop.svc.cluster.local', port: 80 } }
  cluster.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'math', namespace: 'shop' }, spec: { ports: [{ port: 80 }] } })
  cluster.put({ ...backend, spec: { type: 'MCP', mcp: { targets: [target] } } })
  await proxies.rollOut('127.0.0.1')
  await cluster.until(() => isProgrammed(cluster) && isReady(cluster))
  const count = async () => Number(/reconcile_duration_seconds_count (\d+)/.exec(await metrics.text())?.[1])
  const before = await count()
  for (let turn = 0; turn < 20; turn++) {
    cluster.put(slice('other', [`10.0.0.${turn}`]))
    // Longer than a translation waits for more to come: each change would bring one of its own.
    await setTimeout(50)
  }
  assert.ok((await count()) - before < 10)
  cluster.put({ ...slice('math', ['10.0.0.1']), ports: [{ port: 8000 }] })
  await cluster.until(() => documentIn(cluster).includes('10.0.0.1:8000'))
  cluster.put(slice('front-peers', ['127.0.0.1', '127.0.0.3']))
  const message = () => JSON.stringify(listAt(cluster.get(gatewayPath), 'status', 'conditions'))
  await cluster.until(() => message().includes('2 of 2 proxies serve it'))
  // The document is no longer new.
  around.skewMs = 5100
  cluster.remove(cluster.get(`${slicesPath}/front-peers-x1`) ?? {})
  await cluster.until(() => !isProgrammed(cluster))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createControllerMetrics } from '../../kubernetes/kubernetes.ts'
import { openControllerListener } from './controller-listener.ts'

test('health, readiness with its reasons, and metrics', async (t) => {
  const metrics = createControllerMetrics()
  metrics.countWrite('Secret', 'ok')
  metrics.setLeader(true)
  let reasons: readonly string[] = ['services: not read yet']
  const controller = { readiness: () => ({ isReady: reasons.length === 0, reasons }) }
  const listener = await openControllerListener({ host: '127.0.0.1', port: 0 }, controller, metrics)
  assert.ok(listener.kind === 'open')
  t.after(() => listener.close())
  const ask = async (path: string, method = 'GET') => {
    const reply = await fetch(`http://127.0.0.1:${listener.port}${path}`, { method })
    return [reply.status, await reply.text()] as const
  }
  assert.equal((await ask('/healthz'))[0], 200)
  const [status, body] = await ask('/readyz?verbose')
  assert.deepEqual([status, JSON.parse(body)], [503, { status: 'unready', reasons }])
  reasons = []
  assert.equal((await ask('/readyz'))[0], 200)
  const [, text] = await ask('/metrics')
  assert.match(text, /^mcplex_controller_writes_total\{kind="Secret",outcome="ok"\} 1$/m)
  assert.match(text, /^mcplex_controller_is_leader 1$/m)
  assert.deepEqual([(await ask('/'))[0], (await ask('/healthz', 'POST'))[0]], [404, 405])

  const taken = await openControllerListener({ host: '127.0.0.1', port: listener.port }, controller, metrics)
  assert.deepEqual(taken, { kind: 'failed', text: `--listen 127.0.0.1:${listener.port} can't be opened: EADDRINUSE` })
})

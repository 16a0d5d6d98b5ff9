import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './create-metrics.ts'

/** The samples of these metrics, a line each. */
async function samples(metrics: ReturnType<typeof createMetrics>, names: RegExp): Promise<readonly string[]> {
  return (await metrics.text()).split('\n').filter((line) => names.test(line) && !line.startsWith('#'))
}

test('which program it is, for joining with other metrics', async () => {
  const metrics = createMetrics({ version: '1.2.3' })
  assert.deepEqual(await samples(metrics, /build_info/), [`mcplex_build_info{version="1.2.3",node_version="${process.versions.node}"} 1`])
})

test('reloads are there from the start, and the last one is told by its success and its time', async () => {
  let now = 1_700_000_000_000
  const metrics = createMetrics({ now: () => now })
  const read = () => samples(metrics, /^mcplex_config/)
  const lines = (applied: number, refused: number, isGood: number, at: number) => [
    `mcplex_config_reloads_total{outcome="applied"} ${applied}`,
    `mcplex_config_reloads_total{outcome="refused"} ${refused}`,
    `mcplex_config_last_reload_successful ${isGood}`,
    `mcplex_config_last_reload_success_timestamp_seconds ${at}`,
  ]
  assert.deepEqual(await read(), lines(0, 0, 0, 0))
  metrics.noteStart()
  assert.deepEqual(await read(), lines(0, 0, 1, 1_700_000_000))
  now += 5000
  metrics.countReload('refused')
  assert.deepEqual(await read(), lines(0, 1, 0, 1_700_000_000))
  metrics.countReload('applied')
  assert.deepEqual(await read(), lines(1, 1, 1, 1_700_000_005))
})

test('readiness and sinks are asked for when they are read', async () => {
  const metrics = createMetrics()
  const read = () => samples(metrics, /^mcplex_(?:ready|routes|audit)/)
  assert.deepEqual(await read(), ['mcplex_ready 0', 'mcplex_routes_closed 0', 'mcplex_audit_lost_records_total 0'])
  let isWell = true
  metrics.show({ sinks: () => [{ name: 'file /a.jsonl', isWell }], lostRecords: () => 7 })
  metrics.show({ isReady: () => isWell, closedWays: () => (isWell ? 0 : 4) })
  assert.deepEqual(await read(), [
    'mcplex_ready 1',
    'mcplex_routes_closed 0',
    'mcplex_audit_sink_up{sink="file /a.jsonl"} 1',
    'mcplex_audit_lost_records_total 7',
  ])
  isWell = false
  assert.deepEqual(await read(), [
    'mcplex_ready 0',
    'mcplex_routes_closed 4',
    'mcplex_audit_sink_up{sink="file /a.jsonl"} 0',
    'mcplex_audit_lost_records_total 7',
  ])
})

test('what is held of servers is asked for when it is read', async () => {
  const metrics = createMetrics()
  const read = () => samples(metrics, /^mcplex_buffered/)
  assert.deepEqual(await read(), ['mcplex_buffered_bytes 0', 'mcplex_buffered_limit_bytes 0', 'mcplex_buffered_given_up_total 0'])
  metrics.show({ buffers: () => ({ heldBytes: 5, limitBytes: 7, givenUp: 3 }) })
  assert.deepEqual(await read(), ['mcplex_buffered_bytes 5', 'mcplex_buffered_limit_bytes 7', 'mcplex_buffered_given_up_total 3'])
})

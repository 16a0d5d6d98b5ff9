import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goodCall } from '../records/record-for-test.ts'
import type { RequestRecord } from '../records/records.ts'
import { createMetrics, type RequestLabel } from './create-metrics.ts'

const call: RequestRecord = {
  ...goodCall,
  route: 'main',
  caller: 'secret-caller',
  serverEra: 'modern',
  durationMs: 15,
  upstreamMs: 8,
  bytesIn: 1,
  bytesOut: 1,
}

/** Label sets of a metric's series, from the exposition. */
function seriesOf(text: string, metric: string): string[] {
  return [...text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? `, 'gm'))].map((match) => match[1] ?? '')
}

test('a request counts once as server and once as client, in seconds, in the conventional buckets', async () => {
  const metrics = createMetrics()
  metrics.observeRequest(call)
  const text = await metrics.text()
  const labels = 'mcp_method_name="tools/call",gen_ai_tool_name="math_add",error_type="",mcplex_server="math",mcplex_agent="sre"'
  assert.ok(text.includes(`mcp_server_operation_duration_seconds_sum{${labels}} 0.015\n`))
  assert.ok(text.includes(`mcp_client_operation_duration_seconds_sum{${labels}} 0.008\n`))
  const bounds = seriesOf(text, 'mcp_server_operation_duration_seconds_bucket').map((series) => /le="([^"]+)"/.exec(series)?.[1])
  assert.deepEqual(bounds, ['0.01', '0.02', '0.05', '0.1', '0.2', '0.5', '1', '2', '5', '10', '30', '60', '120', '300', '+Inf'])
  assert.ok(text.includes(`mcp_server_operation_duration_seconds_bucket{le="0.01",${labels}} 0\n`))
  assert.ok(text.includes(`mcp_server_operation_duration_seconds_bucket{le="0.02",${labels}} 1\n`))
})

test('error_type is our reason, else the code, else tool_error', async () => {
  const table: readonly [Partial<RequestRecord>, string][] = [
    [{ outcome: 'ok' }, ''],
    [{ outcome: 'refused', reason: 'upstream-timeout', rpcCode: -32603 }, 'upstream-timeout'],
    [{ outcome: 'error', rpcCode: -32602 }, '-32602'],
    [{ outcome: 'error', rpcCode: 123456 }, '_OTHER'],
    [{ outcome: 'error' }, 'tool_error'],
    [{ outcome: 'cancelled' }, 'cancelled'],
    [{ outcome: 'cancelled', reason: 'slow-client', rpcCode: -32603 }, 'slow-client'],
  ]
  for (const [change, expected] of table) {
    const metrics = createMetrics()
    metrics.observeRequest({ ...call, ...change })
    const [series] = seriesOf(await metrics.text(), 'mcp_server_operation_duration_seconds_count')
    assert.equal(/error_type="([^"]*)"/.exec(series ?? '')?.[1], expected)
  }
})

test('no caller, session, URI, unknown method or unknown tool becomes a label', async () => {
  const metrics = createMetrics()
  metrics.observeRequest({ ...call, method: 'resources/read', name: 'file:///etc/secret-uri' })
  metrics.observeRequest({ ...call, method: 'made/up-method' })
  metrics.observeRequest({ ...call, server: undefined, name: 'made-up-tool', outcome: 'refused', reason: 'unknown-name' })
  const text = await metrics.text()
  assert.doesNotMatch(text, /secret-caller|secret-uri|made/)
  assert.equal(seriesOf(text, 'mcp_server_operation_duration_seconds_count').length, 3)
  assert.match(text, /mcp_method_name="other"/)
})

test('beyond 2,000 tools the name is other, beyond 5,000 series everything is', async () => {
  const metrics = createMetrics()
  for (let i = 0; i < 2100; i++) metrics.observeRequest({ ...call, name: `math_t${i}`, upstreamMs: undefined })
  let series = seriesOf(await metrics.text(), 'mcp_server_operation_duration_seconds_count')
  assert.equal(series.length, 2001)
  assert.equal(series.filter((labels) => labels.includes('gen_ai_tool_name="other"')).length, 1)
  for (let i = 0; i < 4000; i++) metrics.observeRequest({ ...call, agent: `a${i}`, upstreamMs: undefined })
  series = seriesOf(await metrics.text(), 'mcp_server_operation_duration_seconds_count')
  assert.equal(series.length, 5001)
})

test('denials count by agent and rule, up to 2,000 pairs; later ones are other', async () => {
  const metrics = createMetrics()
  for (let i = 0; i < 2; i++) metrics.countDenial('sre', 'policies.authorize.deny[0]')
  for (let i = 0; i < 2100; i++) metrics.countDenial('', `agents.a${i}.access`)
  const text = await metrics.text()
  assert.match(text, /^mcplex_policy_denials_total\{mcplex_agent="sre",mcplex_rule="policies\.authorize\.deny\[0\]"\} 2$/m)
  assert.match(text, /^mcplex_policy_denials_total\{mcplex_agent="other",mcplex_rule="other"\} 101$/m)
  assert.equal(seriesOf(text, 'mcplex_policy_denials_total').length, 2001)
})

test("a server's gauges follow its state and go when it goes", async () => {
  const metrics = createMetrics()
  metrics.setServer('math', { up: true, tools: 2 })
  metrics.setServer('date', { up: false, tools: 1 })
  const text = await metrics.text()
  assert.match(text, /^mcplex_server_up\{mcplex_server="math"\} 1$/m)
  assert.match(text, /^mcplex_server_up\{mcplex_server="date"\} 0$/m)
  assert.match(text, /^mcplex_server_tools\{mcplex_server="math"\} 2$/m)
  metrics.forgetServer('math')
  assert.doesNotMatch(await metrics.text(), /mcplex_server="math"/)
})

test("a server's repairs are counted from its start, at 0, and go when it goes", async () => {
  const metrics = createMetrics()
  metrics.startServer('math')
  assert.match(await metrics.text(), /^mcplex_result_repairs_total\{mcplex_server="math"\} 0$/m)
  metrics.countRepair('math')
  metrics.startServer('math')
  assert.match(await metrics.text(), /^mcplex_result_repairs_total\{mcplex_server="math"\} 1$/m)
  metrics.forgetServer('math')
  assert.doesNotMatch(await metrics.text(), /mcplex_server="math"/)
})

/** Lines of /metrics once each of six agents has called each of the 34 tools of 20 servers. */
async function linesWith(labels: readonly RequestLabel[] | undefined): Promise<number> {
  const metrics = createMetrics()
  metrics.configure({ labels })
  for (let agent = 0; agent < 6; agent++)
    for (let server = 0; server < 20; server++)
      for (let tool = 0; tool < 34; tool++)
        metrics.observeRequest({ ...call, agent: `a${agent}`, server: `s${server}`, name: `s${server}_t${tool}` })
  return [...(await metrics.text()).matchAll(/^mcp_(?:server|client)_operation\S* /gm)].length
}

test('what is not among the labels is no label, and makes no lines', async () => {
  // Two histograms of 15 buckets, a sum and a count for each: docs/operation.md has these figures.
  assert.equal(await linesWith(undefined), 138_720)
  assert.equal(await linesWith(['mcp_method_name', 'error_type', 'mcplex_server', 'mcplex_agent']), 4080)
  assert.equal(await linesWith(['mcp_method_name', 'error_type', 'mcplex_server']), 680)
  assert.equal(await linesWith([]), 34)
  const metrics = createMetrics()
  metrics.configure({ labels: ['mcplex_server', 'error_type'] })
  metrics.observeRequest(call)
  assert.deepEqual(seriesOf(await metrics.text(), 'mcp_server_operation_duration_seconds_sum'), ['error_type="",mcplex_server="math"'])
})

test('other labels begin anew, the same ones go on', async () => {
  const metrics = createMetrics()
  const count = async () =>
    [...(await metrics.text()).matchAll(/^mcp_server_operation_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(([, , n]) => Number(n))
  metrics.observeRequest(call)
  metrics.configure({})
  metrics.observeRequest(call)
  assert.deepEqual(await count(), [2])
  metrics.configure({ labels: ['mcplex_server'] })
  assert.deepEqual(await count(), [])
  metrics.observeRequest(call)
  metrics.observeRequest({ ...call, name: 'math_sub', agent: 'dev' })
  assert.deepEqual(await count(), [2])
})

test('counters and process metrics are exposed', async () => {
  const metrics = createMetrics()
  metrics.countRepair('math')
  metrics.setNameConflicts(3)
  metrics.countEdgeRefusal('origin')
  metrics.countSlowClient()
  metrics.countReload('refused')
  metrics.observeSession(1500)
  const text = await metrics.text()
  for (const line of [
    'mcplex_result_repairs_total{mcplex_server="math"} 1',
    'mcplex_name_conflicts 3',
    'mcplex_edge_refusals_total{reason="origin"} 1',
    'mcplex_slow_clients_total 1',
    'mcplex_config_reloads_total{outcome="refused"} 1',
    'mcp_server_session_duration_seconds_sum 1.5',
  ]) {
    assert.ok(text.includes(`${line}\n`), line)
  }
  assert.match(text, /^process_cpu_seconds_total \d/m)
  assert.match(text, /^process_resident_memory_bytes \d+$/m)
})

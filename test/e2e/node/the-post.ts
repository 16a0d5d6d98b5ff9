import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { checkout } from '../setup/cache.ts'
import { type InspectorVersion, inspector } from '../setup/inspector.ts'
import { need } from '../setup/part.ts'
import { until } from '../setup/wait.ts'
import { urlOfPost } from './reading.ts'
import { home, type Scene } from './scene.ts'

/** The path of one of the post's files. */
export const seed = (name: string) => join(checkout, 'test/seed', `${name}.yaml`)

/** As its Gateway lists them. */
export const toolsOfPost = ['math-mcp-server_add', 'math-mcp-server_multiply', 'date-mcp-server_get_current_date']

/** The post's Deployments, byte for byte, run, and their Services answer by name. */
export async function serversRun({ cluster }: Scene): Promise<void> {
  await cluster.applyFiles(seed('math-server'), seed('date-server'))
  for (const name of ['mcp-math-server', 'mcp-date-server']) {
    await cluster.must('rollout', 'status', `deployment/${name}`, '--timeout=60s')
    const answer = await until('the Service', () => fetch(`http://${name}.default.svc.cluster.local/`))
    assert.deepEqual(await answer.json(), { status: 'ok' })
  }
}

/** The post's other objects, byte for byte, become pods behind the address that the post reads. */
export async function gatewayRuns({ cluster }: Scene): Promise<void> {
  await cluster.applyFiles(seed('gateway'), seed('backend'), seed('httproute'))
  await cluster.must('wait', '--for=condition=Programmed', 'gateway/agentgateway', '-n', home, '--timeout=60s')
  await cluster.must('rollout', 'status', 'deployment/agentgateway', '-n', home, '--timeout=60s')
  const url = await urlOfPost(cluster)
  // kube-proxy is about a second behind.
  await until('the way to its pods', async () => ((await fetch(url)).status > 0 ? true : undefined))
}

/** MCP Inspector lists the tools of both servers at an endpoint, and calls each. */
export async function inspectorCalls(t: TestContext, url: string, version: InspectorVersion): Promise<void> {
  const installed = await need(t, inspector(version))
  if (installed === undefined) return
  const ask = async (...args: readonly string[]) => {
    const done = await installed.cli(url, ...args)
    assert.equal(done.code, 0, `${args.join(' ')}\n${done.stdout}\n${done.stderr}`)
    return JSON.parse(done.stdout)
  }
  const { tools } = await ask('--method', 'tools/list')
  assert.deepEqual(
    tools.map((tool: { readonly name: string }) => tool.name),
    toolsOfPost,
  )
  /** The server's own words around the answer differ from version to version of its library. */
  const answers = async (answer: RegExp, name: string, ...args: readonly string[]) => {
    const result = await ask('--method', 'tools/call', '--tool-name', name, ...args.flatMap((arg) => ['--tool-arg', arg]))
    assert.notEqual(result.isError, true, JSON.stringify(result))
    assert.match(result.content[0].text, answer)
  }
  await answers(/\b5\b/, 'math-mcp-server_add', 'a=2', 'b=3')
  await answers(/\b20\b/, 'math-mcp-server_multiply', 'a=4', 'b=5')
  await answers(/\b\d{4}-\d\d-\d\d\b/, 'date-mcp-server_get_current_date')
}

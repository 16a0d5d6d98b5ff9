import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { mcplexCommand } from '../gateway.ts'
import { checkout } from '../setup/cache.ts'
import { type InspectorVersion, inspector } from '../setup/inspector.ts'
import { need } from '../setup/part.ts'
import { python1 } from '../setup/python.ts'
import { openSandbox, type Sandbox } from '../setup/sandbox.ts'
import { until } from '../setup/wait.ts'

/** The Services of the post's servers, and where they are in the sandbox. */
const servers = {
  math: { host: 'mcp-math-server.default.svc.cluster.local', address: '127.0.0.2' },
  date: { host: 'mcp-date-server.default.svc.cluster.local', address: '127.0.0.3' },
}

const inspectors: readonly (readonly [version: InspectorVersion, ...args: readonly string[]])[] = [
  ['0.16.2'],
  ['2.12.0', '--protocol-era', 'auto'],
]

/** Runs a Config's file where its hosts are the post's own servers: Inspectors list all their tools, and call them. */
export async function servesTools(t: TestContext, file: string): Promise<void> {
  const python = await need(t, python1())
  if (python === undefined) return
  const hosts = Object.fromEntries(Object.values(servers).map(({ host, address }) => [host, address]))
  const sandbox = await need(t, openSandbox(t, { hosts }))
  if (sandbox === undefined) return
  for (const [name, { address }] of Object.entries(servers)) {
    const paths = ['test/e2e/fixtures/serve-seed.py', `test/seed/${name}/server.py`].map((path) => join(checkout, path))
    sandbox.start(python, [...paths, '80', address])
  }
  for (const { host } of Object.values(servers)) await untilGood(sandbox, `http://${host}/`)
  const [program = process.execPath, ...args] = mcplexCommand
  const mcplex = sandbox.start(program, [...args, 'run', '--config', file], { cwd: checkout })
  await untilGood(sandbox, 'http://127.0.0.1:15000/readyz', mcplex.stderr)

  for (const [version, ...eraArgs] of inspectors) {
    await t.test(`Inspector ${version}`, async (t) => {
      const installed = await need(t, inspector(version))
      if (installed === undefined) return
      const ask = async (...args: readonly string[]) => {
        const url = ['--cli', 'http://127.0.0.1:8080/mcp', '--transport', 'http']
        const done = await sandbox.run(process.execPath, [installed.script, ...url, ...eraArgs, ...args], installed.around)
        assert.equal(done.code, 0, `${args.join(' ')}\n${done.stdout}\n${done.stderr}\n${mcplex.stderr().slice(-2000)}`)
        return JSON.parse(done.stdout) as { tools?: { name: string }[]; content?: { text: string }[]; isError?: boolean }
      }
      const call = async (name: string, ...args: readonly string[]) => {
        const { content = [], isError } = await ask(
          '--method',
          'tools/call',
          '--tool-name',
          name,
          ...args.flatMap((arg) => ['--tool-arg', arg]),
        )
        assert.notEqual(isError, true)
        return content[0]?.text ?? ''
      }

      const { tools = [] } = await ask('--method', 'tools/list')
      assert.deepEqual(
        tools.map((tool) => tool.name),
        ['math-mcp-server_add', 'math-mcp-server_multiply', 'date-mcp-server_get_current_date'],
      )
      // The post's servers write their results out as Python would.
      assert.match(await call('math-mcp-server_add', 'a=2', 'b=3'), /\b5\b/)
      assert.match(await call('math-mcp-server_multiply', 'a=4', 'b=5'), /\b20\b/)
      const before = today()
      assert.match(await call('date-mcp-server_get_current_date'), new RegExp(`${before}|${today()}`))
    })
  }
}

async function untilGood(sandbox: Sandbox, url: string, explain = () => ''): Promise<void> {
  const script = `fetch('${url}').then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(2))`
  await until(url, async () => ((await sandbox.run(process.execPath, ['-e', script])).code === 0 ? true : undefined), {
    everyMs: 100,
    explain,
  })
}

/** The date as Python's date.today() gives it on this machine. */
function today(): string {
  const now = new Date()
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
}

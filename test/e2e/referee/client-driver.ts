/**
 * The client that the referee starts for a client scenario: client-driver.ts [--direct] URL.
 * Puts mcplex between itself and the referee's server at URL, unless it is to go there directly, and exits with 0 where the
 * scenario could be played to its end.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { checkout } from '../setup/cache.ts'
import { freePort } from '../setup/ports.ts'
import { until } from '../setup/wait.ts'
import { type Assignment, scenarios } from './everything-client.ts'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { direct: { type: 'boolean', default: false } } })
const [url = ''] = positionals
const name = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Partial<Assignment>
const isModern = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] === '2026-07-28'

try {
  await (values.direct ? play(url) : throughMcplex(url, playInTime))
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}

async function play(url: string): Promise<void> {
  const scenario = scenarios[name]
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  await scenario({ url, isModern, toolCalls: context.toolCalls ?? [] })
}

/** Gives up before the referee does, which would leave mcplex behind. */
async function playInTime(url: string): Promise<void> {
  const timer = new AbortController()
  const late = delay(20_000, undefined, { signal: timer.signal }).then(() => Promise.reject(new Error('not played within 20 s')))
  try {
    await Promise.race([play(url), late])
  } finally {
    timer.abort()
  }
}

/** Runs `act` on the endpoint of an mcplex whose only server is at `url`, then ends that mcplex. */
async function throughMcplex(url: string, act: (url: string) => Promise<void>): Promise<void> {
  const command = process.env['MCPLEX_COMMAND'] ?? `${process.execPath} src/main.ts`
  const [program = '', ...args] = command.split(' ').map((path) => resolve(checkout, path))
  const [port, adminPort] = [await freePort(), await freePort()]
  const directory = await mkdtemp(join(tmpdir(), 'mcplex-driver-'))
  const file = join(directory, 'mcplex.yaml')
  const backends = { default: { prefix: 'never', servers: { referee: { http: { url } } } } }
  await writeFile(file, JSON.stringify({ listen: `127.0.0.1:${port}`, admin: { listen: `127.0.0.1:${adminPort}` }, backends }))
  const mcplex = spawn(program, [...args, 'run', '--config', file], { cwd: checkout, stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(mcplex, 'exit')
  try {
    const ready = until('mcplex ready', async () => ((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok ? 'ready' : undefined))
    if ((await Promise.race([ready, ended])) !== 'ready') throw new Error('mcplex ended before it was ready')
    await act(`http://127.0.0.1:${port}/mcp`)
    mcplex.kill('SIGTERM')
  } catch (error) {
    mcplex.kill('SIGKILL')
    throw error
  } finally {
    await ended
    await rm(directory, { recursive: true, force: true })
  }
}

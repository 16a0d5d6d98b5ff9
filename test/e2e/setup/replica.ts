import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startMcplex, temporaryDirectory, untilReady } from '../gateway.ts'
import { freePort } from './ports.ts'

/** One of several mcplex processes that do the same work. */
export interface Replica {
  readonly port: number
  readonly origin: string
  readonly url: string
  log(): string
  /** Ends it at once, as a crash does, and resolves when it is gone. */
  kill(): Promise<void>
  /** Ends it in good order and asserts that this went well. */
  stop(): Promise<void>
}

/** Starts mcplex on a port, the same again after an end, and waits until it is ready. The test's end kills it. */
export async function startReplica(t: TestContext, body: string, env: Readonly<Record<string, string>>, port?: number): Promise<Replica> {
  const own = port ?? (await freePort())
  const adminPort = await freePort()
  const file = join(await temporaryDirectory(t), 'mcplex.yaml')
  await writeFile(file, `listen: 127.0.0.1:${own}\nadmin: { listen: "127.0.0.1:${adminPort}" }\n${body}`)
  const child = startMcplex(t, ['run', '--config', file], { env })
  await untilReady(child, async () => ((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok ? true : undefined))
  const origin = `http://127.0.0.1:${own}`
  return {
    port: own,
    origin,
    url: `${origin}/mcp`,
    log: child.stderr,
    async kill() {
      process.kill(child.pid, 'SIGKILL')
      await child.finished
    },
    async stop() {
      child.kill('SIGTERM')
      const { code, stderr } = await child.finished
      assert.equal(code, 0, stderr)
    },
  }
}

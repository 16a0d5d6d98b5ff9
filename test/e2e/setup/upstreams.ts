import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Child, start } from './child.ts'
import { freePort, listening } from './ports.ts'

const fixtures = join(import.meta.dirname, '../fixtures')
const seed = join(import.meta.dirname, '../../seed')

/** A real MCP server that runs as a process of its own. */
export interface Upstream {
  readonly port: number
  readonly origin: string
  readonly url: string
  kill(signal: NodeJS.Signals): void
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>
}

/** One of the post's servers, unchanged but for its port. */
export function seedServer(t: TestContext, name: 'math' | 'date', python: string, port?: number): Promise<Upstream> {
  return upstream(t, python, [join(fixtures, 'serve-seed.py'), join(seed, name, 'server.py')], [], port)
}

/** A server of both eras on Python's mcp 2.3. */
export function pythonServer(t: TestContext, python: string): Promise<Upstream> {
  return upstream(t, python, [join(fixtures, 'mcp2-server.py')], [])
}

/** A server that refuses the legacy era. */
export function modernServer(t: TestContext, port?: number): Promise<Upstream> {
  return upstream(t, process.execPath, [join(fixtures, 'modern-server.ts')], [], port)
}

/** A server with sessions that knows nothing of the modern era; `replies` is how it answers a POST. */
export function legacyServer(t: TestContext, replies: 'sse' | 'json' = 'sse', port?: number): Promise<Upstream> {
  return upstream(t, process.execPath, [join(fixtures, 'legacy-server.ts')], [replies], port)
}

/** What the fixture servers in TypeScript understand beside MCP. */
export async function control(server: Upstream, path: '/held' | '/release' | '/extra'): Promise<string> {
  const response = await fetch(server.origin + path, path === '/held' ? {} : { method: 'POST' })
  return response.text()
}

async function upstream(
  t: TestContext,
  command: string,
  before: readonly string[],
  after: readonly string[],
  fixed?: number,
): Promise<Upstream> {
  const port = fixed ?? (await freePort())
  const child: Child = start(t, command, [...before, String(port), ...after])
  await listening(child, port)
  const origin = `http://127.0.0.1:${port}`
  return { port, origin, url: `${origin}/mcp`, kill: child.kill, ended: child.finished }
}

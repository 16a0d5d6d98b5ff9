import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { start } from './child.ts'
import { freePort, listening } from './ports.ts'
import type { Upstream } from './upstreams.ts'

/** A server of both eras on Python's mcp 2.3 with something of everything. */
export async function libraryServer(t: TestContext, python: string): Promise<Upstream> {
  const port = await freePort()
  const child = start(t, python, [join(import.meta.dirname, '../fixtures/library-server.py'), String(port)])
  await listening(child, port)
  const origin = `http://127.0.0.1:${port}`
  return { port, origin, url: `${origin}/mcp`, kill: child.kill, ended: child.finished }
}

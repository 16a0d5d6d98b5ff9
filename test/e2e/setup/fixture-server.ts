import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { start } from './child.ts'
import { freePort, listening } from './ports.ts'
import type { Upstream } from './upstreams.ts'

/** Starts a server of the fixtures' folder that takes a port and then these arguments; the test's end kills it. */
export async function fixtureServer(t: TestContext, file: string, ...args: readonly string[]): Promise<Upstream> {
  const port = await freePort()
  const child = start(t, process.execPath, [join(import.meta.dirname, '../fixtures', file), String(port), ...args])
  await listening(child, port)
  const origin = `http://127.0.0.1:${port}`
  return { port, origin, url: `${origin}/mcp`, kill: child.kill, ended: child.finished }
}

/** What a fixture tells as JSON on a path of its own. */
export async function ask<T>(server: Upstream, path: string): Promise<T> {
  return (await (await fetch(server.origin + path)).json()) as T
}

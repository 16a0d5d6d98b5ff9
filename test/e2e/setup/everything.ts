import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { must, prepared } from './cache.ts'
import { start } from './child.ts'
import type { Part } from './part.ts'
import { freePort, listening } from './ports.ts'
import type { Upstream } from './upstreams.ts'

const version = '2026.8.31'

/** The directory of npm's server-everything. */
export function everything(): Promise<Part<string>> {
  return prepared(`server-everything-${version}`, (directory) =>
    must('npm', [
      ...['install', '--prefix', directory, '--no-fund', '--no-audit', '--loglevel=error'],
      `@modelcontextprotocol/server-everything@${version}`,
    ]),
  )
}

/** The reference server of the legacy era, started over Streamable HTTP. */
export async function everythingServer(t: TestContext, directory: string): Promise<Upstream> {
  const port = await freePort()
  const script = join(directory, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
  const child = start(t, process.execPath, [script, 'streamableHttp'], { env: { PORT: String(port) } })
  await listening(child, port)
  const origin = `http://127.0.0.1:${port}`
  return { port, origin, url: `${origin}/mcp`, kill: child.kill, ended: child.finished }
}

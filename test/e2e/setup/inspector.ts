import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory, must, prepared } from './cache.ts'
import { type Finished, run, type Surroundings } from './child.ts'
import { type Part, ready } from './part.ts'

export type InspectorVersion = '0.16.2' | '2.12.0'

/** An installed MCP Inspector. */
export interface Inspector {
  /** The script to be run by Node.js. */
  readonly script: string
  readonly around: Surroundings
  /** `mcp-inspector --cli URL --transport http ARGS`, run to its end. */
  cli(url: string, ...args: readonly string[]): Promise<Finished>
}

/** MCP Inspector of that version from npm. */
export async function inspector(version: InspectorVersion): Promise<Part<Inspector>> {
  const made = await prepared(`inspector-${version}`, (directory) =>
    must('npm', [
      'install',
      '--prefix',
      directory,
      '--no-fund',
      '--no-audit',
      '--loglevel=error',
      `@modelcontextprotocol/inspector@${version}`,
    ]),
  )
  if (made.kind === 'missing') return made
  const home = join(cacheDirectory, 'home')
  await mkdir(home, { recursive: true })
  const script = join(made.value, 'node_modules/.bin/mcp-inspector')
  const around = { env: { HOME: home, NO_COLOR: '1' }, cwd: home }
  return ready({
    script,
    around,
    cli: (url, ...args) => run(process.execPath, [script, '--cli', url, '--transport', 'http', ...args], { ...around, timeoutMs: 60_000 }),
  })
}

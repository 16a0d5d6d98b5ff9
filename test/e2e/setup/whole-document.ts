import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startMcplex, temporaryDirectory, untilReady } from '../gateway.ts'
import type { Child } from './child.ts'
import { freePort } from './ports.ts'

/** A process whose whole document the test writes. */
export interface Serving extends Ports {
  readonly child: Child
  readonly directory: string
  /** The document's path. */
  readonly file: string
}

export interface Ports {
  readonly port: number
  readonly adminPort: number
  /** For a second listener. */
  readonly otherPort: number
}

/**
 * Starts mcplex with a document, in a directory of its own with these files beside it, and waits until it is ready. The test's end kills it.
 * @param document is given the ports that it must listen on
 */
export async function serveDocument(
  t: TestContext,
  document: (ports: Ports) => string,
  { env = {}, beside = {} }: { readonly env?: Readonly<Record<string, string>>; readonly beside?: Readonly<Record<string, string>> } = {},
): Promise<Serving> {
  const ports = { port: await freePort(), adminPort: await freePort(), otherPort: await freePort() }
  const directory = await temporaryDirectory(t)
  for (const [name, text] of Object.entries(beside)) await writeFile(join(directory, name), text)
  const file = join(directory, 'mcplex.yaml')
  await writeFile(file, document(ports))
  const child = startMcplex(t, ['run', '--config', file], { env })
  await untilReady(child, async () => {
    const response = await fetch(`http://127.0.0.1:${ports.adminPort}/readyz`, { signal: AbortSignal.timeout(5000) })
    await response.text()
    return response.status === 200 ? true : undefined
  })
  return { child, ...ports, directory, file }
}

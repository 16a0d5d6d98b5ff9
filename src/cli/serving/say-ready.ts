import type { ProcessLog } from '../../observe/observe.ts'
import { printJson, printLine, type Terminal, version } from '../terminal/terminal.ts'
import { bannerLines, type Ready } from './banner.ts'
import { endpointsOf, serverLines } from './endpoints.ts'
import type { Started } from './start-gateway.ts'

/** How long the first words wait for servers that don't answer. */
const patienceMs = 1500

/**
 * Says what is served where, once every server has been heard of or has had its time; `stopped` ends the wait.
 * @param file where the configuration came from; undefined for the demo
 */
export async function sayReady(
  { gateway, places }: Started,
  about: Pick<Ready, 'file' | 'note'> & { readonly output: 'text' | 'json'; readonly stopped: Promise<void>; readonly log: ProcessLog },
  { stdout, stderr }: Terminal,
): Promise<void> {
  const { file, note, output, stopped, log } = about
  await Promise.race([gateway.settled(), new Promise((resolve) => setTimeout(resolve, patienceMs).unref()), stopped])
  log.flush()
  const ports = new Map(places().map(({ name, port }) => [name, port]))
  const ready: Ready = {
    version,
    readyMs: Math.round(performance.now()),
    file,
    endpoints: endpointsOf(gateway.config(), ports),
    servers: serverLines(gateway.status()),
    note,
  }
  if (output === 'json') printJson(stdout, ready)
  else for (const line of bannerLines(ready)) printLine(stderr, line)
}

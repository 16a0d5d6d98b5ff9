import type { ProcessLog } from '../../observe/observe.ts'
import { printJson, printLine, type Terminal, version } from '../terminal/terminal.ts'
import { bannerLines, type Ready, readyFields } from './banner.ts'
import { endpointsOf, serverLines, totalsOf } from './endpoints.ts'
import type { Started } from './start-gateway.ts'

/** How long the first words wait for servers that don't answer, milliseconds. */
const usualPatienceMs = 1500

/**
 * Says what is served where, once every server has been heard of or has had its time; `stopped` ends the wait. A log of JSON gets it as one
 * record, so that no line of it is anything else. Servers that come later say so in the log.
 * @param file where the configuration came from; undefined for the demo
 */
export async function sayReady(
  { gateway, places }: Started,
  about: Pick<Ready, 'file' | 'note'> & { readonly output: 'text' | 'json'; readonly stopped: Promise<void>; readonly log: ProcessLog },
  { stdout, stderr }: Pick<Terminal, 'stdout' | 'stderr'>,
  patienceMs = usualPatienceMs,
): Promise<void> {
  const { file, note, output, stopped, log } = about
  await Promise.race([gateway.settled(), new Promise((resolve) => setTimeout(resolve, patienceMs).unref()), stopped])
  log.flush()
  gateway.logFirstReadiness()
  const ports = new Map(places().map(({ name, port }) => [name, port]))
  const status = gateway.status()
  const { reasons } = gateway.readiness()
  const ready: Ready = {
    version,
    readyMs: Math.round(performance.now()),
    file,
    totals: totalsOf(status),
    // That not every server has answered yet stands beside the servers.
    faults: reasons.filter((reason) => reason !== 'starting'),
    endpoints: endpointsOf(gateway.config(), ports),
    servers: serverLines(status),
    admin: gateway.config().admin.listen,
    note,
  }
  if (output === 'json') printJson(stdout, ready)
  if (log.format === 'json') log.info(readyFields(ready), 'ready')
  else if (output === 'text') for (const line of bannerLines(ready)) printLine(stderr, line)
}

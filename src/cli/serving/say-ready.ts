import type { ProcessLog } from '../../observe/observe.ts'
import { printJson, printLine, type Terminal, version } from '../terminal/terminal.ts'
import { bannerLines, type Ready, readyFields } from './banner.ts'
import { endpointsOf, serverLines, totalsOf } from './endpoints.ts'
import type { Started } from './start-gateway.ts'

/** How long to wait for servers that don't answer before reporting, in milliseconds. */
const usualPatienceMs = 1500

/**
 * Reports what is served and where, when every server has answered or the time for it is over; `stopped` ends the wait. If the log is JSON
 * it is one record of the log, so that all of stderr is JSON. Servers that answer later are logged.
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
  const { faults, reasons } = gateway.readiness()
  const ready: Ready = {
    version,
    readyMs: Math.round(performance.now()),
    file,
    totals: totalsOf(status),
    // Servers and issuers that have not answered yet keep nobody from being served by the others.
    isReady: reasons.every((reason) => reason === 'starting'),
    faults,
    endpoints: endpointsOf(gateway.config(), ports),
    servers: serverLines(status),
    admin: gateway.config().admin.listen,
    note,
  }
  if (output === 'json') printJson(stdout, ready)
  if (log.format === 'json') log[ready.isReady ? 'info' : 'error'](readyFields(ready), ready.isReady ? 'ready' : 'started, but not ready')
  else if (output === 'text') for (const line of bannerLines(ready)) printLine(stderr, line)
}

import type { ProcessLog } from '../../observe/observe.ts'
import type { Started } from './start-gateway.ts'

/** How long requests in flight may go on: less than Kubernetes gives after the delay. */
const graceMs = 25_000

/** Ends what serves: for the delay, milliseconds, everything is served on though nothing is ready; then what is in flight may finish. */
export async function stopServing(started: Started, delayMs: number, log: ProcessLog): Promise<void> {
  log.info(delayMs === 0 ? {} : { delayMs }, 'stopping: work in flight may finish')
  await started.stop({ delay: new Promise((resolve) => setTimeout(resolve, delayMs)), graceMs })
  log.flush()
}

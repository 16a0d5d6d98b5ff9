import type { ProcessLog } from '../../observe/observe.ts'
import type { Started } from './start-gateway.ts'

/** How long requests in progress may go on: less than what Kubernetes allows after the delay. */
const graceMs = 25_000

/**
 * Stops a gateway. For the delay, in milliseconds, everything is still served though nothing is ready; then requests in progress may
 * finish.
 */
export async function stopServing(started: Started, delayMs: number, log: ProcessLog): Promise<void> {
  log.info(delayMs === 0 ? {} : { delayMs }, 'stopping: work in flight may finish')
  await started.stop({ delay: new Promise((resolve) => setTimeout(resolve, delayMs)), graceMs })
  log.flush()
}

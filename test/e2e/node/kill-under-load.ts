import assert from 'node:assert/strict'
import { type Connection, failedCalls, type Load } from '../setup/load.ts'
import { killContainers, podsByPort, type RunningPod } from '../setup/pods.ts'
import { until } from '../setup/wait.ts'
import type { Pair } from './pair.ts'

interface Killed {
  /** As `performance.now()` gives it. */
  readonly at: number
  /** Fails the test if a call has failed that was not in flight there then. Says what did. */
  assertOthersWell(): string
}

/** Kills the containers of a proxy at a moment at which calls are in flight there, and other connections are to another. */
export function killUnderLoad({ address }: Pair, load: Load, dying: RunningPod): Promise<Killed> {
  return until('calls in flight at the pod that is to die, and connections to another', () => {
    const open = load.connections()
    const inFlight = load.calls.filter(({ endedAt }) => endedAt === undefined)
    const before = podsByPort(address)
    const wasThere = ({ port }: Connection) => before.get(port) === dying.address
    const there = open.filter(wasThere).length
    const caught = inFlight.filter(({ connection }) => wasThere(connection)).length
    if (caught === 0 || there === open.length) return undefined
    // nothing of this process has run since the look at its calls, nor does before those are dead
    const at = performance.now()
    killContainers(dying)
    // those among them that were only just being opened
    const after = podsByPort(address)
    const isThere = (connection: Connection) => wasThere(connection) || after.get(connection.port) === dying.address
    return {
      at,
      assertOthersWell() {
        const failed = failedCalls(load)
        const others = failed.filter(({ connection, endedAt = 0 }) => !isThere(connection) || endedAt < at)
        assert.deepEqual(others, [], 'calls failed that were not in flight at the pod that died')
        assert.deepEqual(load.streams.failures, [])
        const late = failed.filter(({ startedAt }) => startedAt > at).length
        return (
          `killed with ${there} of ${open.length} connections, ${caught} of ${inFlight.length} calls in flight; ` +
          `${failed.length} failed, ${late} of them sent before the end of their connection was known`
        )
      },
    }
  })
}

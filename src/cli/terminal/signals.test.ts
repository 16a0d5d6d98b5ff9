import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchSignals } from './signals.ts'

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

interface Situation {
  readonly platform?: string
  readonly reloads?: boolean
  /** Whether there is a terminal at the start, and when the signals come. */
  readonly terminal?: readonly [boolean, boolean]
}

/** What becomes of these signals: how often it reloads, whether it stops, and the exit code where it ends at once. */
async function after(
  signals: readonly Signal[],
  { platform = 'linux', reloads = true, terminal: [first, then] = [false, false] }: Situation,
) {
  const listeners = new Map<string, () => void>()
  let isStarted = false
  let reloaded = 0
  let code: number | undefined
  let isStopped = false
  const { stopped, onReload } = watchSignals(
    {
      on: (event, listener) => listeners.set(event, listener),
      exit(given) {
        code = given
      },
    },
    { platform, isAtTerminal: () => (isStarted ? then : first) },
  )
  isStarted = true
  if (reloads) onReload(() => reloaded++)
  void stopped.then(() => {
    isStopped = true
  })
  for (const signal of signals) listeners.get(signal)?.()
  await new Promise(setImmediate)
  return { reloaded, isStopped, code }
}

const goesOn = { isStopped: false, code: undefined }
const stops = { reloaded: 0, isStopped: true, code: undefined }

test('SIGHUP reloads, but where the terminal of the process was closed', async () => {
  const rows: readonly [string, readonly Signal[], Situation, Awaited<ReturnType<typeof after>>][] = [
    ['a service', ['SIGHUP', 'SIGHUP'], {}, { reloaded: 2, ...goesOn }],
    ['kill -HUP beside an open terminal', ['SIGHUP'], { terminal: [true, true] }, { reloaded: 1, ...goesOn }],
    ['the terminal was closed', ['SIGHUP'], { terminal: [true, false] }, stops],
    ['the window was closed', ['SIGHUP'], { platform: 'win32', terminal: [true, true] }, stops],
    ['a command that reloads nothing', ['SIGHUP'], { reloads: false }, stops],
    ['SIGTERM', ['SIGTERM'], {}, stops],
    ['SIGINT after SIGTERM', ['SIGTERM', 'SIGINT'], {}, { ...stops, code: 1 }],
    ['SIGTERM after a reload', ['SIGHUP', 'SIGTERM'], {}, { reloaded: 1, isStopped: true, code: undefined }],
  ]
  for (const [name, signals, situation, expected] of rows) assert.deepEqual(await after(signals, situation), expected, name)
})

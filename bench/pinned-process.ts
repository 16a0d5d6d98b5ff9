import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Clock ticks a second in /proc: USER_HZ, which is 100 on every architecture that Node runs on (proc(5)). */
const ticksPerSecond = 100

/** A program that runs on one core, and what it and its children have used. Its output goes to a file. */
export interface PinnedProcess {
  /** Why it no longer runs, or undefined. */
  ended(): string | undefined
  /** User and system time so far, in microseconds, to 10 ms; children that have ended count too. */
  cpuUs(): number
  /** Resident memory in MB; pages that processes share count in each. */
  residentMb(): number
  /** Ends it, with SIGKILL if five seconds after SIGTERM it still runs. */
  stop(): Promise<void>
}

/** Starts a program on one core; whoever starts it has to stop it. */
export function startPinned(core: number, command: readonly string[], logFile: string): PinnedProcess {
  const log = openSync(logFile, 'w')
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', log, log] })
  closeSync(log)
  let failure: string | undefined
  child.on('error', (error) => {
    failure = error.message
  })
  const tree = (): readonly number[] => (child.pid === undefined ? [] : familyOf(child.pid))
  const ended = (): string | undefined =>
    failure ?? (child.exitCode === null && child.signalCode === null ? undefined : `exited with ${child.exitCode ?? child.signalCode}`)
  return {
    ended,
    cpuUs: () => (tree().reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksPerSecond) * 1e6,
    residentMb: () => tree().reduce((sum, pid) => sum + residentKbOf(pid), 0) / 1024,
    stop: async () => {
      if (ended() === undefined) await end(child, tree())
    },
  }
}

async function end(child: ChildProcess, family: readonly number[]): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = new AbortController()
  await Promise.race([exit, delay(5000, undefined, { signal: patience.signal }).catch(() => undefined)])
  patience.abort()
  if (child.exitCode !== null || child.signalCode !== null) return
  for (const pid of family) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
  await exit
}

function familyOf(pid: number): readonly number[] {
  const children = readLines(() =>
    readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')),
  )
  const pids = children.flatMap((line) => line.split(' ').filter(Boolean).map(Number))
  return [pid, ...pids.flatMap(familyOf)]
}

function ticksOf(pid: number): number {
  const [stat = ''] = readLines(() => [readFileSync(`/proc/${pid}/stat`, 'utf8')])
  // The command's name, in parentheses, may hold anything; after it come state (field 3) … utime, stime, cutime, cstime (fields 14 to 17).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
}

function residentKbOf(pid: number): number {
  const [status = ''] = readLines(() => [readFileSync(`/proc/${pid}/status`, 'utf8')])
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1] ?? 0)
}

/** What can't be read belongs to a process that has ended in the meantime. */
function readLines(read: () => readonly string[]): readonly string[] {
  try {
    return read()
  } catch {
    return []
  }
}

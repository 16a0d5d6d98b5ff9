import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'

export interface Finished {
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

/** A process that a test started, with all that it wrote so far. */
export interface Child {
  readonly pid: number
  stdout(): string
  stderr(): string
  /** Signals the process and what it started in turn. */
  kill(signal: NodeJS.Signals): void
  readonly isRunning: boolean
  /** Resolves when the process has ended and its output is complete. */
  readonly finished: Promise<Finished>
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/**
 * Starts a program in a process group of its own; the test's end kills the group.
 * `node` inside it is the Node.js that runs the tests.
 */
export function start(t: TestContext, command: string, args: readonly string[], around: Surroundings = {}): Child {
  const child = launch(command, args, around)
  atEnd(t, async () => {
    child.kill('SIGKILL')
    await child.finished
  })
  return child
}

/** Runs a program to its end; after `timeoutMs` it is killed and the signal says so. */
export async function run(
  command: string,
  args: readonly string[],
  around: Surroundings & { readonly timeoutMs?: number } = {},
): Promise<Finished> {
  const child = launch(command, args, around)
  const timer = setTimeout(() => child.kill('SIGKILL'), around.timeoutMs ?? 60_000)
  try {
    return await child.finished
  } finally {
    clearTimeout(timer)
  }
}

/** Group leaders that still run; as many as tests run at once. A test file that is ended from outside takes them along. */
const running = new Set<Child>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))

/** Variables under which programs change what they do. */
const notPassedOn = {
  CI: undefined,
  FORCE_COLOR: undefined,
  NODE_OPTIONS: undefined,
  NODE_TEST_CONTEXT: undefined,
  MCPLEX_CONFIG: undefined,
}

function launch(command: string, args: readonly string[], around: Surroundings): Child {
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  const env = { ...process.env, ...notPassedOn, PATH: path, ...around.env }
  const options = { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] }
  const spawned: ChildProcess = spawn(command, args, around.cwd === undefined ? options : { ...options, cwd: around.cwd })
  let stdout = ''
  let stderr = ''
  let isRunning = true
  spawned.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  spawned.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const finished = new Promise<Finished>((resolve) => {
    spawned.once('error', (error) => {
      isRunning = false
      resolve({ code: undefined, signal: undefined, stdout, stderr: `${stderr}${error.message}\n` })
    })
    spawned.once('exit', () => {
      isRunning = false
    })
    spawned.once('close', (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr })
    })
  })
  const pid = spawned.pid ?? 0
  const child: Child = {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    get isRunning() {
      return isRunning
    },
    finished,
    kill(signal) {
      if (pid === 0) return
      try {
        process.kill(-pid, signal)
      } catch {
        // the group has ended
      }
    },
  }
  running.add(child)
  void finished.then(() => running.delete(child))
  return child
}

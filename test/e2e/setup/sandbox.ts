import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { type Child, type Finished, run, type Surroundings, start } from './child.ts'
import { missing, type Part, ready } from './part.ts'
import { until } from './wait.ts'

/** A place with a loopback of its own, on which every port is free, with host names of its own, and without any other network. */
export interface Sandbox {
  /** As `start` of `child.ts`, inside. */
  start(command: string, args: readonly string[], around?: Surroundings): Child
  /** As `run` of `child.ts`, inside. */
  run(command: string, args: readonly string[], around?: Surroundings & { readonly timeoutMs?: number }): Promise<Finished>
}

/** Opens one in which those names have those addresses, any of 127.0.0.0/8, and `localhost` is 127.0.0.1. It ends with the test. */
export async function openSandbox(
  t: TestContext,
  { hosts = {} }: { readonly hosts?: Readonly<Record<string, string>> },
): Promise<Part<Sandbox>> {
  const file = join(await temporaryDirectory(t), 'hosts')
  const lines = Object.entries({ localhost: '127.0.0.1', ...hosts }).map(([name, address]) => `${address} ${name}\n`)
  await writeFile(file, lines.join(''))
  const reasons: string[] = []
  for (const user of [[], ['--user', '--map-root-user']]) {
    const keeper = start(t, 'unshare', ['--net', '--mount', ...user, '--', 'sh', '-c', furnish, 'sh', file], { env })
    const state = await until('a network of its own', () => {
      if (keeper.stdout().includes('furnished')) return 'furnished'
      return keeper.isRunning ? undefined : 'ended'
    })
    if (state === 'furnished') return ready(sandboxOf(t, keeper, user.length > 0))
    reasons.push((await keeper.finished).stderr.trim())
  }
  return missing(`no network namespace: it needs util-linux, iproute2, and root or unprivileged user namespaces: ${reasons.join('; ')}`)
}

/** Tools of an administrator aren't on everybody's path. */
const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }

/** The namespaces live as long as this shell. */
const furnish = 'ip link set lo up && mount --bind "$1" /etc/hosts && echo furnished && exec sleep infinity'

function sandboxOf(t: TestContext, keeper: Child, ofUser: boolean): Sandbox {
  const enter = ['--target', String(keeper.pid), '--net', '--mount', ...(ofUser ? ['--user', '--preserve-credentials'] : []), '--']
  const inside = (command: string, args: readonly string[], { cwd = process.cwd() }: Surroundings): readonly string[] => [
    ...enter,
    ...['sh', '-c', 'cd -- "$0" && exec "$@"', cwd, command, ...args],
  ]
  return {
    start: (command, args, around = {}) => start(t, 'nsenter', inside(command, args, around), around),
    run: (command, args, around = {}) => run('nsenter', inside(command, args, around), around),
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { missing, type Part, ready } from './part.ts'

/**
 * A process that has this machine to itself, and what it starts: a network, processes, mounts and `/run`, `/var/lib`, `/var/log` of their
 * own. They can change whatever they like and reach nothing outside; when the process ends, or whoever started it, all of it is gone.
 */
export interface OwnMachine {
  /** Its one address besides loopback, where names are asked too. */
  readonly address: string
  /** A directory on a disk, also the one for temporary files. */
  readonly directory: string
  /** The path below each hierarchy of control groups where its own may be. */
  readonly cgroup: string
}

/** The one in which this process runs. */
export function ownMachine(): OwnMachine {
  const text = process.env[variable]
  if (text === undefined) throw new Error('this process runs on the machine of everybody else: start it by runOnOwnMachine')
  return JSON.parse(text)
}

/**
 * Runs a script of Node.js as the only program of such a machine, with the input and output of this process, and gives its exit code. A
 * file of tests may do so in its place: the test runner doesn't notice.
 */
export function runOnOwnMachine(script: string): Part<Promise<number>> {
  if (process.getuid?.() !== 0) return missing('only root can have a machine of its own')
  const directory = mkdtempSync(join(tmpdir(), 'mcplex-e2e-'))
  const cgroup = `/${basename(directory)}`
  const machine: OwnMachine = { address: '10.99.0.1', directory, cgroup }
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, cgroup), { recursive: true })
  for (const name of ['containerd', 'tmp']) mkdirSync(join(directory, name))
  writeFileSync(join(directory, 'resolv.conf'), `nameserver ${machine.address}\n`)
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
      ...['sh', '-ec', furnish, directory, machine.address, process.execPath, ...process.execArgv, script],
    ],
    { stdio: 'inherit', env: { ...process.env, [variable]: JSON.stringify(machine), TMPDIR: join(directory, 'tmp') } },
  )
  process.once('exit', () => clear(child, machine))
  return ready(
    new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => resolve(code ?? 1))
    }),
  )
}

const variable = 'MCPLEX_E2E_MACHINE'

/**
 * The shell is the first process of the machine: it waits for all others, and takes them along. What the kubelet would set for the whole
 * kernel looks to it as if it were set: that is not the machine's own.
 */
const furnish = `
export PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
ip link add node0 type bridge
ip address add "$1/24" dev node0
ip link set node0 up
ip route add default dev node0
mount --bind "$0/resolv.conf" /etc/resolv.conf
for place in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$place"; done
mkdir -p /run/netns /var/lib/containerd
mount --bind "$0/containerd" /var/lib/containerd
while read -r setting value; do
  echo "$value" > "/run/$setting"
  mount --bind "/run/$setting" "/proc/sys/$(echo "$setting" | tr . /)"
done <<END
vm.overcommit_memory 1
vm.panic_on_oom 0
kernel.panic 10
kernel.panic_on_oops 1
kernel.keys.root_maxkeys 1000000
kernel.keys.root_maxbytes 25000000
END
echo 1 > /proc/sys/net/ipv4/ip_forward
shift
"$@" & wait $!
`

/** Where groups are made: of each controller, or the one for all. */
function hierarchies(): readonly string[] {
  const root = '/sys/fs/cgroup'
  return readdirSync(root).includes('cgroup.controllers') ? [root] : readdirSync(root).map((name) => join(root, name))
}

/** Ends what still runs and removes what is left: the exit of a process leaves no time to wait by other means. */
function clear(child: ChildProcess, { directory, cgroup }: OwnMachine): void {
  child.kill('SIGKILL')
  const groups = hierarchies().map((hierarchy) => join(hierarchy, cgroup))
  const deadline = performance.now() + 10_000
  while (!groups.every(removeGroup) && performance.now() < deadline) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  rmSync(directory, { recursive: true, force: true })
}

/** False while a process is in it. */
function removeGroup(group: string): boolean {
  try {
    for (const name of readdirSync(group)) {
      const path = join(group, name)
      if (statSync(path).isDirectory() && !removeGroup(path)) return false
    }
    rmdirSync(group)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}

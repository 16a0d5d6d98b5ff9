import type { Child } from './child.ts'
import type { Kubectl } from './kubectl.ts'

/** The end of what programs of a node, its pods and its events say, shortened. Throws nothing. */
export async function lastWords(cluster: Kubectl, programs: ReadonlyMap<string, Child>): Promise<string> {
  const ask = async (...args: readonly string[]) => {
    const { stdout, stderr } = await cluster.run(...args)
    return `${stdout}${stderr}`
  }
  const sections: [string, string][] = [...programs].map(([name, { stderr, isRunning }]) => [
    `${name}${isRunning ? '' : ' (ended)'}`,
    ends(troubles(stderr()), 1500),
  ])
  sections.push(['pods', await ask('get', 'pods', '-A', '-o', 'wide')])
  sections.push(['events', ends(await ask('get', 'events', '-A', '--sort-by=.lastTimestamp'), 3000)])
  const pods = await ask('get', 'pods', '-A', '-o', 'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{"\\n"}{end}')
  for (const line of pods.split('\n')) {
    const [namespace, name] = line.split(' ')
    if (namespace === undefined || name === undefined) continue
    sections.push([`pod ${namespace}/${name}`, ends(await ask('logs', '-n', namespace, name, '--all-containers', '--tail=20'), 2500)])
  }
  return sections.map(([title, text]) => `== ${title}\n${text.trim()}`).join('\n')
}

function ends(text: string, length: number): string {
  return text.length > length ? `…${text.slice(-length)}` : text
}

/** Lines that say that something is wrong, in the ways of Go programs. */
function troubles(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^[EF]\d|level=(error|fatal)|panic|[Ff]ailed/.test(line))
    .join('\n')
}

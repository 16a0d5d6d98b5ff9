import { type Finding, finding } from './finding.ts'
import type { BackendView } from './views.ts'

/**
 * Exclusions of an agent that keep out less than they say: they name a server that is not there, or one of several that lay claim to the
 * name. Their author may have known another one by it, whose tools they would let in now. A `*` in a server's name stays within it.
 */
export function strayExclusions(
  selection: 'tools' | 'prompts' | 'resources',
  patterns: readonly unknown[],
  found: readonly { readonly view: BackendView }[],
): readonly Finding[] {
  const separator = selection === 'resources' ? '+' : '_'
  const servers = found.flatMap(({ view }) => view.servers)
  const renamed = found.flatMap(({ view }) => [...view.renamed])
  const exclusions = patterns.flatMap((pattern, index) => {
    if (typeof pattern !== 'string' || !pattern.startsWith('!') || !pattern.includes(separator)) return []
    const end = pattern.indexOf(separator)
    return [{ pattern, index, server: pattern.slice(1, end), rest: pattern.slice(end) }]
  })
  return exclusions.flatMap(({ pattern, index, server, rest }) => {
    const place = `spec.${selection}[${index}]`
    const stray = (message: string): Finding => finding('all', 'Invalid', `${place}: \`${pattern}\` ${message}`)
    if (!servers.some((one) => isLike(one, server))) {
      const known = [...new Set(servers)].sort().join(', ') || 'none'
      return [stray(`takes nothing away, as no backend has a server ${server}: name one that is there (${known}), or remove it`)]
    }
    const isCovered = (name: string): boolean => exclusions.some((one) => one.rest === rest && isLike(name, one.server))
    return renamed.flatMap(([name, written]) =>
      isLike(written, server) && !isCovered(name)
        ? [stray(`leaves out ${name}, which would be called ${written} too: write \`!${name}${rest}\` beside it`)]
        : [],
    )
  })
}

function isLike(name: string, pattern: string): boolean {
  const [head = '', ...others] = pattern.split('*')
  const tail = others.pop()
  if (tail === undefined) return name === head
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false
  let rest = name.slice(head.length, name.length - tail.length)
  for (const part of others) {
    const at = rest.indexOf(part)
    if (at < 0) return false
    rest = rest.slice(at + part.length)
  }
  return true
}

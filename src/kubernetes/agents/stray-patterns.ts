import type { BackendView } from '../backends/backends.ts'
import { type Finding, finding } from '../objects/objects.ts'

/** The backends that an Agent selects from. */
export interface Selectable {
  readonly views: readonly BackendView[]
  /** For each backend that does not exist or may not be referred to, why: a sentence. */
  readonly missing: readonly string[]
}

interface Pattern {
  readonly text: string
  readonly place: string
  readonly isExclusion: boolean
  /** What stands before the separator; the whole pattern where it has none. */
  readonly server: string
  readonly rest: string
}

/**
 * Findings for patterns that refer to a server that does not exist, and for exclusions whose server was renamed because several asked for
 * its name. Such an exclusion may be meant for a server that an inclusion with a wildcard lets in under another name. Then nothing of
 * the Agent is served; elsewhere the finding is only a remark. A `*` in the server of an exclusion never matches the separator.
 */
export function strayPatterns(
  selection: 'tools' | 'prompts' | 'resources',
  written: readonly unknown[],
  { views, missing }: Selectable,
): readonly Finding[] {
  const separator = selection === 'resources' ? '+' : '_'
  const servers = views.flatMap((view) => view.servers)
  const renamed = views.flatMap((view) => [...view.renamed])
  const patterns = written.flatMap((text, index) =>
    typeof text === 'string' ? [readPattern(text, separator, `spec.${selection}[${index}]`)] : [],
  )
  const exclusions = patterns.filter(({ isExclusion, rest }) => isExclusion && rest !== '')
  const open = patterns.filter(({ isExclusion, server }) => !isExclusion && server.includes('*'))
  const isLetIn = (name: string): boolean => open.some(({ server }) => name.startsWith(server.slice(0, server.indexOf('*'))))
  const isOpen = servers.some(isLetIn)

  return patterns.flatMap((pattern): readonly Finding[] => {
    const { text, place, isExclusion, server, rest } = pattern
    const stray = (isClosing: boolean, message: string): Finding =>
      finding(isClosing ? 'all' : 'nothing', 'Invalid', `${place}: \`${text}\` ${message}`)
    if (rest === '' || (!isExclusion && server.includes('*'))) return []
    if (!servers.some((one) => isLike(one, server))) {
      const known = [...new Set(servers)].sort().join(', ') || 'none'
      const remedy = `name one that is there (${known}), or remove it`
      const cause = missing.length === 0 ? `: ${remedy}` : `. One that is missing may have it: ${missing.join('; ')}. Otherwise ${remedy}`
      return [
        stray(
          isExclusion && isOpen,
          `${isExclusion ? 'takes nothing away' : 'selects nothing'}, as no backend has a server ${server}${cause}`,
        ),
      ]
    }
    if (!isExclusion) return []
    const isCovered = (name: string): boolean => exclusions.some((one) => one.rest === rest && isLike(name, one.server))
    return renamed.flatMap(([name, wish]) =>
      isLike(wish, server) && isLetIn(name) && !isCovered(name)
        ? [stray(true, `leaves out ${name}, which would be called ${wish} too: write \`!${name}${rest}\` beside it`)]
        : [],
    )
  })
}

function readPattern(text: string, separator: string, place: string): Pattern {
  const isExclusion = text.startsWith('!')
  const whole = isExclusion ? text.slice(1) : text
  const end = whole.includes(separator) ? whole.indexOf(separator) : whole.length
  return { text, place, isExclusion, server: whole.slice(0, end), rest: whole.slice(end) }
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

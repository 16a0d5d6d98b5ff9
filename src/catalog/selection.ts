/**
 * What an agent may see, as patterns over full names. `*` matches any run of characters, a leading `!` excludes; the order does not
 * matter.
 */
export interface Selection {
  selects(fullName: string): boolean
  /** Whether a pattern with `!` excludes a name. */
  takesAway(fullName: string): boolean
  /** Whether the selection could select any full name with this prefix. */
  reaches(prefix: string): boolean
  /** The patterns that match none of these names. */
  unused(fullNames: readonly string[]): readonly string[]
}

export function createSelection(patterns: readonly string[]): Selection {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!'))
  const unwanted = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1))
  const takesAway = (name: string) => unwanted.some((pattern) => matches(pattern, name))
  return {
    selects: (name) => wanted.some((pattern) => matches(pattern, name)) && !takesAway(name),
    takesAway,
    reaches: (prefix) => wanted.some((pattern) => couldBegin(pattern, prefix)),
    unused: (names) => patterns.filter((pattern) => !names.some((name) => matches(pattern.replace(/^!/, ''), name))),
  }
}

/** Whether a pattern could match a name that begins with `prefix`. */
export function couldBegin(pattern: string, prefix: string): boolean {
  const star = pattern.indexOf('*')
  const head = star < 0 ? pattern : pattern.slice(0, star)
  return head.startsWith(prefix) || (star >= 0 && prefix.startsWith(head))
}

/** Whether a pattern matches a name. It backtracks only to the last `*`, so the cost is at most the product of both lengths. */
export function matches(pattern: string, name: string): boolean {
  let p = 0
  let n = 0
  let star = -1
  let resume = 0
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++
      resume = n
    } else if (p < pattern.length && pattern[p] === name[n]) {
      p++
      n++
    } else if (star >= 0) {
      p = star + 1
      n = ++resume
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

import type { Terminal } from './print.ts'

/** How long a command may be silent. */
const silentMs = 500

/** A line about what is waited for. */
export interface Waiting {
  /** One of them has answered. */
  answered(name: string): void
  /** Nothing is waited for any more: the line goes. */
  end(): void
}

/** Where a person looks on, says after half a second for whom a command waits, in one line of stderr that is kept up to date. */
export function sayWaiting(names: readonly string[], { stderr }: Pick<Terminal, 'stderr'>): Waiting {
  if (stderr.isTTY !== true) return { answered() {}, end() {} }
  const open = new Set(names)
  let isShown = false
  const show = (): void => {
    isShown = true
    const [first = 'an answer', ...more] = open
    stderr.write(`\r\u001b[Kwaiting for ${first}${more.length === 0 ? '' : ` and ${more.length} more`} …`)
  }
  const timer = setTimeout(show, silentMs)
  return {
    answered(name) {
      open.delete(name)
      if (isShown) show()
    },
    end() {
      clearTimeout(timer)
      if (isShown) stderr.write('\r\u001b[K')
    },
  }
}

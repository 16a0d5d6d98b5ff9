import { elements, members, valueType } from '../../mcp/mcp.ts'

/** What is redacted in a value: all of it, or some of its members. */
export interface Redaction {
  isWhole: boolean
  readonly members: Map<string, Redaction>
}

/** Replaces every redacted value. */
export const blank = '[redacted]'

const inArguments = 'mcp.tool.arguments'

/** The paths of `redact` as one tree; `mcp.tool.arguments` is a record's member `arguments`. */
export function readRedactions(paths: readonly string[]): Redaction {
  const root: Redaction = { isWhole: false, members: new Map() }
  for (const path of paths) {
    const isAlias = path === inArguments || path.startsWith(`${inArguments}.`)
    const steps = (isAlias ? path.replace(inArguments, 'arguments') : path).split('.')
    let at = root
    for (const step of steps) {
      const next = at.members.get(step) ?? { isWhole: false, members: new Map() }
      at.members.set(step, next)
      at = next
    }
    at.isWhole = true
  }
  return root
}

/** The JSON text with redacted values replaced by `blank`, and all else unchanged. A path through a list holds for each of its elements. */
export function redactJson(text: string, redaction: Redaction): string {
  const pieces: string[] = []
  let copied = 0
  const visit = (start: number, end: number, { isWhole, members: within }: Redaction): void => {
    if (isWhole) {
      pieces.push(text.slice(copied, start), `"${blank}"`)
      copied = end
      return
    }
    switch (valueType(text.charCodeAt(start))) {
      case 'object':
        for (const { key, start: from, end: to } of members(text, start, end)) {
          const inner = within.get(key)
          if (inner !== undefined) visit(from, to, inner)
        }
        return
      case 'array':
        for (const { start: from, end: to } of elements(text, start, end)) visit(from, to, { isWhole, members: within })
        return
      default:
    }
  }
  visit(0, text.length, redaction)
  return pieces.length === 0 ? text : `${pieces.join('')}${text.slice(copied)}`
}

import type { Member } from './message.ts'

/** Replaces text.slice(start, end) by `text`; start equals end for an insertion. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The text with the edits made; all else stays the same characters. Edits come sorted and do not overlap: otherwise a RangeError. */
export function splice(text: string, edits: readonly Edit[]): string {
  let out = ''
  let at = 0
  for (const edit of edits) {
    if (edit.start < at || edit.end < edit.start || edit.end > text.length) throw new RangeError('edits overlap or are not sorted')
    out += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return out + text.slice(at)
}

/** Removes one member of the object whose members are `list`, with its comma. To remove several of one object, use rebuildObject. */
export function removeMember(_text: string, list: readonly Member[], m: Member): Edit {
  const index = list.indexOf(m)
  const next = list[index + 1]
  if (next !== undefined) return { start: m.keyStart, end: next.keyStart, text: '' }
  return { start: list[index - 1]?.end ?? m.keyStart, end: m.end, text: '' }
}

/** Adds a member (`"key":value`) in front of the members of the object that starts at `objectStart`. */
export function insertMember(_text: string, objectStart: number, isEmpty: boolean, memberText: string): Edit {
  return { start: objectStart + 1, end: objectStart + 1, text: isEmpty ? memberText : `${memberText},` }
}

/** A new object of the kept members, each with the characters it had, followed by the `extra` ones (`"key":value`). */
export function rebuildObject(text: string, list: readonly Member[], keep: (m: Member) => boolean, extra: readonly string[] = []): string {
  const kept = list.filter(keep).map((m) => text.slice(m.keyStart, m.end))
  return `{${[...kept, ...extra].join(',')}}`
}

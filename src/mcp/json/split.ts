import type { Element, Member, ValueType } from './message.ts'

/** The members of the object text.slice(start, end), in order. The text must have been scanned: nothing is checked. */
export function members(text: string, start: number, end: number): readonly Member[] {
  const list: Member[] = []
  let at = skipSpace(text, start + 1)
  while (at < end - 1) {
    const keyStart = at
    at = stringEnd(text, at)
    const key = unquote(text.slice(keyStart, at))
    at = skipSpace(text, skipSpace(text, at) + 1)
    const valueStart = at
    at = valueEnd(text, at)
    list.push({ key, keyStart, start: valueStart, end: at, type: valueType(text.charCodeAt(valueStart)) })
    at = skipSpace(text, skipSpace(text, at) + 1)
  }
  return list
}

/** The elements of the array text.slice(start, end), in order. The text must have been scanned: nothing is checked. */
export function elements(text: string, start: number, end: number): readonly Element[] {
  const list: Element[] = []
  let at = skipSpace(text, start + 1)
  while (at < end - 1) {
    const valueStart = at
    at = valueEnd(text, at)
    list.push({ start: valueStart, end: at, type: valueType(text.charCodeAt(valueStart)) })
    at = skipSpace(text, skipSpace(text, at) + 1)
  }
  return list
}

/** The member with that key; a scanned object has at most one. */
export function member(list: readonly Member[], key: string): Member | undefined {
  for (const one of list) if (one.key === key) return one
  return undefined
}

/** The value's text, as it was sent. A slice keeps the whole document in memory: copy what outlives the request. */
export function textOf(text: string, value: Element): string {
  return text.slice(value.start, value.end)
}

/** The characters of a string value; undefined where the value is of another type. */
export function stringOf(text: string, value: Element): string | undefined {
  return value.type === 'string' ? unquote(text.slice(value.start, value.end)) : undefined
}

/** The characters that a JSON string's text (with its quotes) stands for. */
export function unquote(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
}

/** The type of the value that starts with this character. */
export function valueType(code: number): ValueType {
  switch (code) {
    case 0x7b:
      return 'object'
    case 0x5b:
      return 'array'
    case 0x22:
      return 'string'
    case 0x74:
      return 'true'
    case 0x66:
      return 'false'
    case 0x6e:
      return 'null'
    default:
      return 'number'
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  return at
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function valueEnd(text: string, from: number): number {
  const code = text.charCodeAt(from)
  if (code === 0x22) return stringEnd(text, from)
  if (code === 0x7b || code === 0x5b) return containerEnd(text, from)
  let at = from
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++
  return at
}

function endsScalar(code: number): boolean {
  return code === 0x2c || code === 0x7d || code === 0x5d || isSpace(code)
}

function containerEnd(text: string, from: number): number {
  let at = from
  let depth = 0
  do {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = stringEnd(text, at)
    else {
      if (code === 0x7b || code === 0x5b) depth++
      else if (code === 0x7d || code === 0x5d) depth--
      at++
    }
  } while (depth > 0 && at < text.length)
  return at
}

/** The offset after the closing quote: the first quote with an even number of backslashes before it. */
function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1)
  while (quote !== -1) {
    let slash = quote
    while (text.charCodeAt(slash - 1) === 0x5c) slash--
    if ((quote - slash) % 2 === 0) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
  return text.length
}

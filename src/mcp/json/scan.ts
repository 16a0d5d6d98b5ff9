import { envelopeKeyAt, mistakenFor } from './envelope-keys.ts'
import type { Element, JsonFault, JsonLimits, Member, Message } from './message.ts'
import { unquote, valueType } from './split.ts'

/**
 * Reads one JSON-RPC message in one pass, as strictly as JSON.parse. It also refuses what two parsers could understand differently: in any
 * object a repeated key (after its escapes), and in the envelope's objects a key that a parser which ignores case would take for one of the
 * envelope's. Time and memory are linear in the text, and bounded by `limits`.
 */
export function scanMessage(text: string, limits: JsonLimits): Message | JsonFault {
  const scanner = new Scanner(text, limits)
  if (!scanner.run()) return scanner.fault
  const top = scanner.top
  if (top === undefined) return { kind: 'fault', fault: 'not-object', text: 'the document is not an object' }
  return { kind: 'message', text, top, params: scanner.params, meta: scanner.meta, result: scanner.result }
}

/** Reads an array of messages (a JSON-RPC batch, only in 2025-03-26) with scanMessage's checks over the whole document. */
export function scanBatch(text: string, limits: JsonLimits): readonly Element[] | JsonFault {
  const scanner = new Scanner(text, limits)
  if (!scanner.run()) return scanner.fault
  return scanner.batch ?? { kind: 'fault', fault: 'not-array', text: 'the document is not an array' }
}

/** Checks a JSON text that is no message in the same way; undefined where nothing is wrong. */
export function scanValue(text: string, limits: JsonLimits): JsonFault | undefined {
  const scanner = new Scanner(text, limits, false)
  return scanner.run() ? undefined : scanner.fault
}

type Role = 'batch' | 'top' | 'params' | 'meta' | 'result'

type Open<T> = { -readonly [K in keyof T]: T[K] }

/** An object or array whose end has not been reached yet. */
interface Frame {
  readonly parent: Frame | undefined
  readonly depth: number
  readonly isObject: boolean
  /** The character that ends it. */
  readonly closer: number
  /** Which object of the envelope it is; undefined for everything below the envelope. */
  readonly role: Role | undefined
  /** Where its members or elements are collected. */
  readonly list: Open<Member>[] | Open<Element>[] | undefined
  /** Its keys are those of the scanner's `#keys` from this index on, until there are so many that they move to `seen`. */
  readonly firstKey: number
  seen: Set<string> | undefined
  /** The key whose value is read. */
  key: string
  /** The last item of `list`, whose end is not known yet. */
  open: Open<Element> | undefined
}

/** Up to this many keys, comparing with each of them is faster than hashing. */
const fewKeys = 12

/**
 * A stretch of a string's content, with at most a thousand escapes, since the regular expression engine remembers a way back for each. Its
 * loop is twice as fast as ours, but a call of it costs as much as `shortRun` characters.
 */
const stretch = /[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\u0000-\u001f]*){0,1000}/y
const shortRun = 48

const shownKeyChars = 64

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const endOfText = -1

/** Scans one text, once. A method that returns false has set `fault`. */
class Scanner {
  fault: JsonFault = syntaxFault('the document is empty')
  top: Member[] | undefined
  params: Member[] | undefined
  meta: Member[] | undefined
  result: Member[] | undefined
  batch: Element[] | undefined
  readonly #text: string
  readonly #limits: JsonLimits
  /** Whether the text is a message, whose keys may not differ from the envelope's by case alone. */
  readonly #isMessage: boolean
  #at = 0
  #tokens = 0
  #mayBeEscaped = false
  readonly #keys: string[] = []
  #keyCount = 0

  constructor(text: string, limits: JsonLimits, isMessage = true) {
    this.#text = text
    this.#limits = limits
    this.#isMessage = isMessage
  }

  run(): boolean {
    let frame: Frame | undefined
    for (;;) {
      const code = this.#next()
      if (!this.#count()) return false
      if (frame?.list !== undefined) openValue(frame, this.#at, code)
      if (code === openBrace || code === openBracket) {
        frame = this.#enter(frame, code === openBrace)
        if (frame === undefined) return false
        if (this.#next() === frame.closer) frame = this.#leave(frame)
        else if (!frame.isObject || this.#key(frame)) continue
        else return false
      } else {
        if (!this.#scalar(code)) return false
        if (frame?.open !== undefined) frame.open.end = this.#at
      }
      while (frame !== undefined) {
        const after = this.#next()
        if (after === frame.closer) frame = this.#leave(frame)
        else if (after === comma) {
          this.#at++
          if (frame.isObject && !this.#key(frame)) return false
          break
        } else return this.#unexpected()
      }
      if (frame === undefined) return this.#next() === endOfText || this.#unexpected()
    }
  }

  /** Skips white space and returns the character after it. */
  #next(): number {
    const text = this.#text
    const end = text.length
    let at = this.#at
    while (at < end) {
      const code = text.charCodeAt(at)
      if (code > 0x20 || (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09)) {
        this.#at = at
        return code
      }
      at++
    }
    this.#at = at
    return endOfText
  }

  #code(at: number): number {
    return at < this.#text.length ? this.#text.charCodeAt(at) : endOfText
  }

  #count(): boolean {
    if (++this.#tokens <= this.#limits.tokens) return true
    return this.#fail('too-many-tokens', `the document has more than ${this.#limits.tokens} keys and values`)
  }

  #enter(parent: Frame | undefined, isObject: boolean): Frame | undefined {
    const depth = parent === undefined ? 1 : parent.depth + 1
    if (depth > this.#limits.depth) {
      this.#fail('too-deep', `the document is nested deeper than ${this.#limits.depth} at offset ${this.#at}`)
      return undefined
    }
    this.#at++
    const role = this.#isMessage ? roleOf(parent, isObject) : undefined
    return {
      parent,
      depth,
      isObject,
      closer: isObject ? closeBrace : closeBracket,
      role,
      list: role === undefined ? undefined : this.#collect(role, parent),
      firstKey: this.#keyCount,
      seen: undefined,
      key: '',
      open: undefined,
    }
  }

  #collect(role: Role, parent: Frame | undefined): Open<Member>[] | Open<Element>[] {
    if (role === 'batch') {
      this.batch = []
      return this.batch
    }
    const list: Open<Member>[] = []
    if (role !== 'top' || parent === undefined) this[role] = list
    return list
  }

  #leave(frame: Frame): Frame | undefined {
    this.#at++
    this.#keyCount = frame.firstKey
    const { parent } = frame
    if (parent?.open !== undefined) parent.open.end = this.#at
    return parent
  }

  /** Reads a key and its colon. */
  #key(frame: Frame): boolean {
    if (this.#next() !== quote) return this.#unexpected()
    const start = this.#at
    if (!this.#count() || !this.#string()) return false
    const end = this.#at
    const own = frame.list === undefined || this.#mayBeEscaped ? undefined : envelopeKeyAt(this.#text, start + 1, end - 1)
    const key = own ?? (this.#mayBeEscaped ? unquote(this.#text.slice(start, end)) : this.#text.slice(start + 1, end - 1))
    if (this.#isRepeated(frame, key)) return this.#fail('repeated-key', `repeated key ${shown(key)} at offset ${start}`)
    if (frame.list !== undefined) {
      const meant = own ?? mistakenFor(key)
      if (meant !== undefined && meant !== key) {
        return this.#fail(
          'repeated-key',
          `key ${shown(key)} at offset ${start} differs from "${meant}" only by case and could be taken for it`,
        )
      }
      const opened: Open<Member> = { key, keyStart: start, start: 0, end: 0, type: 'null' }
      frame.key = key
      frame.open = opened
      ;(frame.list as Open<Member>[]).push(opened)
    }
    if (this.#next() !== colon) return this.#unexpected()
    this.#at++
    return true
  }

  #isRepeated(frame: Frame, key: string): boolean {
    if (frame.seen !== undefined) {
      const { size } = frame.seen
      return frame.seen.add(key).size === size
    }
    const keys = this.#keys
    const count = this.#keyCount
    for (let i = frame.firstKey; i < count; i++) if (keys[i] === key) return true
    if (count - frame.firstKey < fewKeys) keys[this.#keyCount++] = key
    else frame.seen = new Set(keys.slice(frame.firstKey, count)).add(key)
    return false
  }

  #scalar(code: number): boolean {
    switch (code) {
      case quote:
        return this.#string()
      case 0x74:
        return this.#word('true')
      case 0x66:
        return this.#word('false')
      case 0x6e:
        return this.#word('null')
      default:
        return this.#number()
    }
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return this.#unexpected()
    this.#at += word.length
    return true
  }

  /** Reads a string from its opening quote to behind its closing one. */
  #string(): boolean {
    const text = this.#text
    let at = this.#at + 1
    this.#mayBeEscaped = false
    for (;;) {
      const pause = Math.min(at + shortRun, text.length)
      while (at < pause) {
        const code = text.charCodeAt(at)
        if (code === quote) {
          this.#at = at + 1
          return true
        }
        if (code === backslash) {
          this.#mayBeEscaped = true
          const length = this.#escape(at)
          if (length === 0) return false
          at += length
        } else if (code < 0x20) {
          this.#at = at
          return this.#unexpected()
        } else at++
      }
      if (at >= text.length) {
        this.#at = text.length
        return this.#unexpected()
      }
      stretch.lastIndex = at
      stretch.test(text)
      at = stretch.lastIndex
      this.#mayBeEscaped = true
    }
  }

  /** The length of the escape that starts at this backslash; 0 after a fault. */
  #escape(at: number): number {
    switch (this.#code(at + 1)) {
      case quote:
      case backslash:
      case 0x2f:
      case 0x62:
      case 0x66:
      case 0x6e:
      case 0x72:
      case 0x74:
        return 2
      case 0x75:
        for (let digit = at + 2; digit < at + 6; digit++) if (!isHexDigit(this.#code(digit))) return this.#badEscape(digit)
        return 6
      default:
        return this.#badEscape(at + 1)
    }
  }

  #badEscape(at: number): 0 {
    this.#at = at
    this.#unexpected()
    return 0
  }

  #number(): boolean {
    if (this.#code(this.#at) === 0x2d) this.#at++
    if (this.#code(this.#at) === 0x30) this.#at++
    else if (!this.#digits()) return false
    if (this.#code(this.#at) === 0x2e) {
      this.#at++
      if (!this.#digits()) return false
    }
    const exponent = this.#code(this.#at)
    if (exponent !== 0x65 && exponent !== 0x45) return true
    this.#at++
    const sign = this.#code(this.#at)
    if (sign === 0x2b || sign === 0x2d) this.#at++
    return this.#digits()
  }

  #digits(): boolean {
    const first = this.#at
    while (isDigit(this.#code(this.#at))) this.#at++
    return this.#at > first || this.#unexpected()
  }

  #unexpected(): false {
    const code = this.#code(this.#at)
    if (code === endOfText) return this.#fail('syntax', `the document ends too early, at offset ${this.#at}`)
    const character =
      code > 0x20 && code < 0x7f ? `"${String.fromCharCode(code)}"` : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
    return this.#fail('syntax', `unexpected ${character} at offset ${this.#at}`)
  }

  #fail(kind: JsonFault['fault'], text: string): false {
    this.fault = { kind: 'fault', fault: kind, text }
    return false
  }
}

function roleOf(parent: Frame | undefined, isObject: boolean): Role | undefined {
  if (!isObject) return parent === undefined ? 'batch' : undefined
  if (parent === undefined) return 'top'
  switch (parent.role) {
    case 'batch':
      return 'top'
    case 'top':
      return parent.key === 'params' || parent.key === 'result' ? parent.key : undefined
    case 'params':
      return parent.key === '_meta' ? 'meta' : undefined
    default:
      return undefined
  }
}

function openValue(frame: Frame, start: number, code: number): void {
  const type = valueType(code)
  if (!frame.isObject) {
    const element = { start, end: 0, type }
    frame.open = element
    ;(frame.list as Open<Element>[]).push(element)
  } else if (frame.open !== undefined) {
    frame.open.start = start
    frame.open.type = type
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isHexDigit(code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}

function shown(key: string): string {
  return JSON.stringify(key.length > shownKeyChars ? `${key.slice(0, shownKeyChars)}…` : key)
}

function syntaxFault(text: string): JsonFault {
  return { kind: 'fault', fault: 'syntax', text }
}

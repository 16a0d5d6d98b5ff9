import type { JsonFault, JsonLimits } from './message.ts'
import { scanValue } from './scan.ts'
import { unquote } from './split.ts'

/**
 * Parses JSON text into the values that rules compute with: objects are Maps, whole numbers that fit 64 bits are bigints, all other numbers
 * are doubles, `null` is null. A text that two parsers could understand differently is a fault, as in `scanMessage`.
 */
export function readJson(text: string, limits: JsonLimits): { readonly kind: 'value'; readonly value: unknown } | JsonFault {
  return scanValue(text, limits) ?? { kind: 'value', value: readScanned(text, 0) }
}

/** Parses a JSON object that is not part of an MCP message; undefined where the text is no object, or too large. */
export function readObject(text: string): ReadonlyMap<string, unknown> | undefined {
  const read = readJson(text, { depth: 64, tokens: 100_000 })
  return read.kind === 'value' && read.value instanceof Map ? read.value : undefined
}

/** Parses the value that begins at an offset of a text that has been scanned. */
export function readScanned(text: string, start: number): unknown {
  return new Reader(text, start).value()
}

const maxInt = 2n ** 63n - 1n
const minInt = -(2n ** 63n)
const numeral = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y
const words = { t: true, f: false, n: null } as const

class Reader {
  readonly #text: string
  #at: number

  constructor(text: string, at: number) {
    this.#text = text
    this.#at = at
  }

  value(): unknown {
    const first = this.#next()
    switch (first) {
      case '{': {
        const map = new Map<string, unknown>()
        this.#at++
        while (this.#next() !== '}') {
          const key = this.#string()
          this.#next() // the colon
          this.#at++
          map.set(key, this.value())
          if (this.#next() === ',') this.#at++
        }
        this.#at++
        return map
      }
      case '[': {
        const list: unknown[] = []
        this.#at++
        while (this.#next() !== ']') {
          list.push(this.value())
          if (this.#next() === ',') this.#at++
        }
        this.#at++
        return list
      }
      case '"':
        return this.#string()
      case 't':
      case 'f':
      case 'n':
        this.#at += first === 'f' ? 5 : 4
        return words[first]
      default:
        return this.#number()
    }
  }

  /** The character after white space. */
  #next(): string {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at++
    return this.#text.charAt(this.#at)
  }

  #string(): string {
    this.#next()
    const start = this.#at
    let end = this.#text.indexOf('"', start + 1)
    // A quote after an odd number of backslashes is one of the content.
    while (isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1)
    this.#at = end + 1
    return unquote(this.#text.slice(start, this.#at))
  }

  #number(): number | bigint {
    numeral.lastIndex = this.#at
    const spelled = numeral.exec(this.#text)?.[0] ?? ''
    this.#at = numeral.lastIndex
    if (!/^-?\d{1,19}$/.test(spelled)) return Number(spelled)
    const whole = BigInt(spelled)
    return whole <= maxInt && whole >= minInt ? whole : Number(spelled)
  }
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}

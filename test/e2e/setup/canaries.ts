import { randomBytes } from 'node:crypto'

/** A secret that must not be seen outside the place that it was put in. */
export interface Canary {
  readonly name: string
  readonly value: string
}

/** Where something was said, and what. */
export interface Said {
  readonly place: string
  readonly text: string
}

export interface Sighting {
  readonly canary: string
  readonly form: string
  readonly place: string
  /** What stands around it. */
  readonly around: string
}

/** So many characters of a secret in a row are a sighting, in whatever form: a part that was cut out is found too. */
const windowChars = 16

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'

/** A text of 40 letters and digits, which every header, URL and shell takes. */
export function randomText(): string {
  return [...randomBytes(40)].map((byte) => letters[byte % letters.length]).join('')
}

/** 32 bytes in base64. */
export function randomKey(): string {
  return randomBytes(32).toString('base64')
}

/** Ways in which a text may be written. In base64 it may stand behind any number of other bytes. */
export function formsOf(text: string): Readonly<Record<string, string>> {
  const bytes = Buffer.from(text)
  const forms: Record<string, string> = { plain: text, 'in a URL': encodeURIComponent(text), backwards: [...text].reverse().join('') }
  for (const [name, hex] of Object.entries({ hexadecimal: bytes.toString('hex') })) {
    forms[name] = hex
    forms[`${name}, upper case`] = hex.toUpperCase()
  }
  for (const before of [0, 1, 2]) {
    for (const encoding of ['base64', 'base64url'] as const) {
      const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding)
      // Characters at the ends depend on what else is encoded.
      forms[`${encoding} behind ${before}`] = encoded.slice(before === 0 ? 0 : 4).replace(/.{0,1}=*$/, '')
    }
  }
  forms['lower case'] = text.toLowerCase()
  forms['upper case'] = text.toUpperCase()
  return forms
}

/** Finds canaries, or parts of them, in whatever form. What a key in base64 stands for counts as the key. */
export function createSeeker(canaries: readonly Canary[]): (said: readonly Said[]) => readonly Sighting[] {
  const windows = new Map<string, { readonly canary: string; readonly form: string }>()
  for (const { name, value } of canaries) {
    const isKey = /^[A-Za-z0-9+/]{43}=$/.test(value)
    const raw = isKey ? Buffer.from(value, 'base64') : undefined
    const forms = {
      ...formsOf(value),
      ...(raw === undefined
        ? {}
        : { 'its bytes in hexadecimal': raw.toString('hex'), 'its bytes in base64url': raw.toString('base64url') }),
      ...(/^[0-9a-f]{64}$/.test(value) ? { 'its bytes in base64': Buffer.from(value, 'hex').toString('base64').replace(/.=*$/, '') } : {}),
    }
    for (const [form, text] of Object.entries(forms)) {
      if (text.length < windowChars) throw new Error(`${name} is too short to be told from other words`)
      for (let at = 0; at + windowChars <= text.length; at++) {
        const window = text.slice(at, at + windowChars)
        if (!windows.has(window)) windows.set(window, { canary: name, form })
      }
    }
  }
  return (said) =>
    said.flatMap(({ place, text }) => {
      const sightings: Sighting[] = []
      const seen = new Set<string>()
      for (let at = 0; at + windowChars <= text.length; at++) {
        const found = windows.get(text.slice(at, at + windowChars))
        if (found === undefined || seen.has(found.canary)) continue
        seen.add(found.canary)
        sightings.push({ ...found, place, around: text.slice(Math.max(0, at - 60), at + 60) })
      }
      return sightings
    })
}

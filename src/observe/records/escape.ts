/**
 * Characters other than C0 controls that a terminal or reader may not treat as text: DEL and C1 controls, soft hyphen, zero-width and bidi
 * controls, line and paragraph separators, the BOM, interlinear marks, tag characters (U+E0000 to U+E007F).
 */
const beyondAscii =
  '[\\x7f-\\x9f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]|\\udb40[\\udc00-\\udc7f]'
const inJson = matcher(beyondAscii)
const inText = matcher(`[\\x00-\\x1f]|${beyondAscii}`)

/** Writes every unsafe character of a text, including line ends, as `\uXXXX`. */
export function escapeUnsafe(text: string): string {
  return replaceUnsafe(text, inText)
}

/** Like `escapeUnsafe` for JSON text. Unsafe characters occur only in its strings, so its value and its white space stay the same. */
export function escapeJson(json: string): string {
  return replaceUnsafe(json, inJson)
}

function matcher(source: string): { readonly once: RegExp; readonly all: RegExp } {
  return { once: new RegExp(source), all: new RegExp(source, 'g') }
}

function replaceUnsafe(text: string, { once, all }: ReturnType<typeof matcher>): string {
  return once.test(text) ? text.replace(all, escapeUnits) : text
}

function escapeUnits(match: string): string {
  let text = ''
  for (let i = 0; i < match.length; i++) text += `\\u${match.charCodeAt(i).toString(16).padStart(4, '0')}`
  return text
}

import { hash } from 'node:crypto'

const maxLength = 256
const digestLength = 43

/**
 * The id of a caller, `<namespace><separator><name>`: printable ASCII, at most 256 characters, never the same for two names. A namespace
 * must not hold what separates it, which is escaped there.
 * @param name well-formed text: no lone surrogates
 */
export function callerId(namespace: string, separator: '|' | '#client|' | ':', name: string): string {
  const id = `${escaped(namespace).replace(/[|#]/g, percent)}${separator}${escaped(name)}`
  if (id.length <= maxLength) return id
  // A tilde is in no id but here, so no name can be made up that gives the id of another.
  return `${id.slice(0, maxLength - digestLength - 1)}~${hash('sha256', id, 'base64url')}`
}

function escaped(text: string): string {
  return text.replace(/[^\x21-\x7e]|[%~]/gu, (character) => {
    let out = ''
    for (const byte of Buffer.from(character)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    return out
  })
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

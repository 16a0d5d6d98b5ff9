import { hash } from 'node:crypto'

const maxLength = 256
const digestLength = 43

/**
 * The id of a caller, `<namespace><separator><name>`, in printable ASCII and at most 256 characters. Different names never give the same
 * id; a separator within the namespace is escaped.
 * @param name well-formed text: no lone surrogates
 */
export function callerId(namespace: string, separator: '|' | '#client|' | ':', name: string): string {
  const id = `${escaped(namespace).replace(/[|#]/g, percent)}${separator}${escaped(name)}`
  if (id.length <= maxLength) return id
  // Only shortened ids hold a tilde, so nobody can choose a name that gives another caller's id.
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

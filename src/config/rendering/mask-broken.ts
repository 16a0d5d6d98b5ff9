/**
 * Masks the text of a document that is no YAML: dots of the same number stand in place of all values, since it is not known which of them
 * are secrets. Keys and punctuation stay, so that the place of the mistake can be seen. Everything below a key that sounds like a secret is
 * masked.
 */
export function maskBroken(text: string): string {
  /** The indentation of such a name, while lines belong to it. */
  let secretIndent: number | undefined
  let isLeftOpen = false
  return text
    .split('\n')
    .map((line) => {
      const indent = line.search(/\S/)
      if (indent < 0) return line
      const isUnder = secretIndent !== undefined && (indent > secretIndent || (indent === secretIndent && /^\s*-/.test(line)))
      if (isLeftOpen || isUnder) return dots(line)
      const named = secretName.exec(line)
      secretIndent = named === null ? undefined : indent
      const from = named === null ? line.length : named.index + named[0].length
      const secret = line.slice(from)
      // A quote or brace that is left open may hold anything that follows.
      isLeftOpen = count(secret, /"/g) % 2 === 1 || count(secret, /'/g) % 2 === 1 || count(secret, /[{[]/g) > count(secret, /[}\]]/g)
      return line.slice(0, from).replace(keyOrChar, (_, key: string | undefined) => key ?? '•') + dots(secret)
    })
    .join('\n')
}

/** Matches a key that sounds like a secret, up to where its value begins. */
const secretName =
  /["']?[\w.-]*(?:secret|passw|token|auth|credential|header|key|cookie|bearer|cert|env|args|arguments|sha256|session|signature)[\w.-]*["']?\s*(?::|$)/i
/** Matches a key where one begins, else one character of anything else. */
const keyOrChar = /((?<=^[ \t]*(?:- +)*|[{,]\s*)["']?[\w.$/-]+["']?[ \t]*:(?=[\s{["']|$))|[^\s{}[\],:'"|>&*#-]/g

function dots(text: string): string {
  return text.replace(/\S/g, '•')
}

function count(text: string, sign: RegExp): number {
  return text.match(sign)?.length ?? 0
}

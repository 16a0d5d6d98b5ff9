/** Tells which URIs a URI template may expand to. */
export interface UriMatcher {
  /** A cheap check: whether a URI begins and ends like all expansions of the template. */
  mayMatch(uri: string): boolean
  matches(uri: string): boolean
  /** The cost of `matches` for each character of the URI. */
  readonly cost: number
}

interface Part {
  readonly literal: string
  readonly borders: readonly number[]
  /** The expression that follows the literal; undefined after the last one. */
  readonly gap: Gap | undefined
}

/** The possible expansions of an expression: nothing, or `lead` and any run of characters that are not in `stop`. */
interface Gap {
  readonly lead: string
  readonly stop: string
}

const maxTemplateChars = 512
const maxExpressions = 8
const maxUriChars = 2048

/**
 * Compiles a URI template (RFC 6570, levels 1 to 3; modifiers are tolerated). A URI matches if it holds the literals, and each
 * expression can expand to what lies between them; characters that a strict expansion would have escaped are accepted.
 * Undefined where the text is no template, or exceeds the bounds. Matching costs at most the product of the URI's length and the number
 * of expressions.
 */
export function uriMatcher(template: string): UriMatcher | undefined {
  const parts = template.length > maxTemplateChars ? undefined : read(template)
  if (parts === undefined || parts.length < 2 || parts.length > maxExpressions + 1) return undefined
  const [head] = parts
  const tail = parts[parts.length - 1]?.literal ?? ''
  return {
    mayMatch: (uri) => uri.length <= maxUriChars && uri.startsWith(head?.literal ?? '') && uri.endsWith(tail),
    matches: (uri) => fits(parts, uri),
    cost: parts.length,
  }
}

function read(template: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let at = 0
  for (;;) {
    const open = template.indexOf('{', at)
    const literal = template.slice(at, open < 0 ? undefined : open)
    if (literal.includes('}')) return undefined
    if (open < 0) return [...parts, { literal, borders: bordersOf(literal), gap: undefined }]
    const close = template.indexOf('}', open)
    const gap = close < 0 ? undefined : gapOf(template.slice(open + 1, close))
    if (gap === undefined) return undefined
    parts.push({ literal, borders: bordersOf(literal), gap })
    at = close + 1
  }
}

/** Expressions by their operator (RFC 6570 section 3.2). */
function gapOf(expression: string): Gap | undefined {
  const [, operator = '', names = ''] = /^([+#./;?&]?)([^{}]*)$/.exec(expression) ?? []
  if (names === '') return undefined
  // An expression with several values can expand to several path segments.
  const isMany = names.endsWith('*') || names.includes(',')
  switch (operator) {
    case '+':
      return { lead: '', stop: '' }
    case '#':
      return { lead: '#', stop: '' }
    case '?':
    case '&':
      return { lead: operator, stop: '#' }
    case '/':
      return { lead: '/', stop: isMany ? '?#' : '/?#' }
    case '':
      return { lead: '', stop: names.endsWith('*') ? '?#' : '/?#' }
    default:
      return { lead: operator, stop: '/?#' }
  }
}

/** Follows all possible matches at once: `ends` marks the positions at which the parts so far can end. */
function fits(parts: readonly Part[], uri: string): boolean {
  let ends = new Uint8Array(uri.length + 1)
  ends[0] = 1
  for (const part of parts) {
    ends = afterLiteral(ends, uri, part)
    if (part.gap !== undefined) ends = afterGap(ends, uri, part.gap)
  }
  return ends[uri.length] === 1
}

/** Finds all occurrences of the literal in one pass over the URI (Knuth, Morris and Pratt). */
function afterLiteral(ends: Uint8Array<ArrayBuffer>, uri: string, { literal, borders }: Part): Uint8Array<ArrayBuffer> {
  if (literal === '') return ends
  const next = new Uint8Array(ends.length)
  let held = 0
  for (let at = 0; at < uri.length; at++) {
    held = grown(literal, borders, held, uri.charCodeAt(at))
    if (held < literal.length) continue
    next[at + 1] = ends[at + 1 - held] ?? 0
    held = borders[held - 1] ?? 0
  }
  return next
}

/** For each prefix of the text, the length of its longest proper suffix that is also a prefix of the text. */
function bordersOf(text: string): readonly number[] {
  const borders: number[] = []
  for (let at = 0; at < text.length; at++) borders.push(at === 0 ? 0 : grown(text, borders, borders[at - 1] ?? 0, text.charCodeAt(at)))
  return borders
}

/** How many characters of the text match after one more character of the URI. */
function grown(text: string, borders: readonly number[], held: number, code: number): number {
  let length = held
  while (length > 0 && text.charCodeAt(length) !== code) length = borders[length - 1] ?? 0
  return text.charCodeAt(length) === code ? length + 1 : length
}

function afterGap(ends: Uint8Array<ArrayBuffer>, uri: string, { lead, stop }: Gap): Uint8Array<ArrayBuffer> {
  const next = ends.slice()
  let isOpen = false
  for (let at = 0; at < uri.length; at++) {
    const begins = ends[at] === 1 && (lead === '' || uri.startsWith(lead, at))
    // `lead` itself may be one of the characters in `stop`.
    isOpen = begins && lead !== '' ? true : (begins || isOpen) && !stop.includes(uri.charAt(at))
    if (isOpen) next[at + 1] = 1
  }
  return next
}

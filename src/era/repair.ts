import {
  areIcons,
  type EraName,
  elements,
  isListOf,
  isRecord,
  type Member,
  member,
  members,
  rebuildObject,
  stringOf,
  type ValueType,
} from '../mcp/mcp.ts'

/**
 * Makes a valid `CallToolResult` of one that is not: strings and objects without a known `type` become text blocks, nested lists are
 * flattened, a missing `content` is filled from `structuredContent`, an `isError` that is no boolean becomes one, other optional members of
 * a wrong type are left out.
 * @param era of the server
 * @returns the JSON text of the repaired result, without `resultType`, or undefined where there is nothing to repair.
 */
export function repairToolResult(text: string, result: readonly Member[], era: EraName): string | undefined {
  const content = member(result, 'content')
  const isUnfit = (m: Member) => resultMembers[era][m.key]?.(text, m) === false
  // A list that doesn't begin with a block is not split into its elements, since it may be very long.
  const isList = content?.type === 'array' && /^\[\s*[{\]]/.test(text.slice(content.start, content.start + 64))
  const items = content !== undefined && isList ? elements(text, content.start, content.end) : undefined
  if (items?.every((item) => contentBlock(text, item) === true) && !result.some(isUnfit)) return undefined
  const blocks =
    content === undefined ? structuredAsText(text, result) : (blocksOf(text, content, maxNesting) ?? [wholeAsText(text, content)])
  const flag = member(result, 'isError')
  const extra = flag !== undefined && isUnfit(flag) && saysError(text, result) ? ['"isError":true'] : []
  return rebuildObject(text, result, (m) => m.key !== 'content' && m.key !== 'resultType' && !isUnfit(m), [
    `"content":[${blocks.join(',')}]`,
    ...extra,
  ])
}

/**
 * Checks the result of a method other than tools/call as strict clients do, as far as this can be done. True: they accept it. A text is the
 * result to send instead, without `resultType` and without invalid optional members. False: the result can't be used.
 */
export function repairResult(text: string, result: readonly Member[], method: string): boolean | string {
  const wanted = resultShapes[method]
  return wanted === undefined ? true : fit(text, result, wanted)
}

/**
 * Whether a result says that the tool failed. An `isError` that is no boolean counts as a failure, unless it is a usual way to write "no":
 * to show a failure as a success misleads more than the reverse.
 */
export function saysError(text: string, result: readonly Member[]): boolean {
  const flag = member(result, 'isError')
  if (flag === undefined || flag.type === 'false' || flag.type === 'null') return false
  if (flag.type === 'number') return Number(text.slice(flag.start, flag.end)) !== 0
  return !(flag.type === 'string' && noWords.includes((stringOf(text, flag) ?? '').trim().toLowerCase()))
}

const noWords: readonly string[] = ['', 'false', 'no', '0', 'null', 'none']

interface Value {
  readonly start: number
  readonly end: number
  readonly type: ValueType
}

/** Whether a value is valid; a text is the value to use instead. */
type Rule = (text: string, value: Value) => boolean | string

interface Shape {
  readonly required: Readonly<Record<string, Rule>>
  readonly optional: Readonly<Record<string, Rule>>
}

const table = <T>(rows: Readonly<Record<string, T>>): Readonly<Record<string, T>> => Object.assign(Object.create(null), rows)
const string: Rule = (_text, value) => value.type === 'string'
const number: Rule = (_text, value) => value.type === 'number'
const object: Rule = (_text, value) => value.type === 'object'
const base64: Rule = (text, value) => {
  const encoded = stringOf(text, value)
  if (encoded === undefined) return false
  try {
    atob(encoded)
    return true
  } catch {
    return false
  }
}

/** Checks a value by parsing it; only for members that are rare. */
const parsed =
  (isFit: (value: unknown) => boolean): Rule =>
  (text, value) =>
    isFit(JSON.parse(text.slice(value.start, value.end)))

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

const annotations = parsed((value) => {
  if (!isRecord(value)) return false
  const { audience, priority, lastModified } = value
  return (
    (audience === undefined || isListOf(audience, (role) => role === 'user' || role === 'assistant')) &&
    (priority === undefined || (typeof priority === 'number' && priority >= 0 && priority <= 1)) &&
    (lastModified === undefined ||
      (typeof lastModified === 'string' && timestamp.test(lastModified) && !Number.isNaN(Date.parse(lastModified))))
  )
})
const icons = parsed(areIcons)

const textContents = shape({ uri: string, text: string }, { mimeType: string, _meta: object })
const blobContents = shape({ uri: string, blob: base64 }, { mimeType: string, _meta: object })
const contents: Rule = (text, value) => {
  if (value.type !== 'object') return false
  const list = members(text, value.start, value.end)
  return fit(text, list, textContents) || fit(text, list, blobContents)
}

/** Blocks by their `type` (2026-07-28, schema, ContentBlock). */
const blockShapes = table({
  text: block({ text: string }),
  image: block({ data: base64, mimeType: string }),
  audio: block({ data: base64, mimeType: string }),
  resource: block({ resource: contents }),
  resource_link: block({ uri: string, name: string }, { title: string, description: string, mimeType: string, size: number, icons }),
})

const modernMembers: Readonly<Record<string, Rule>> = {
  isError: (_text, value) => value.type === 'true' || value.type === 'false',
  _meta: object,
}

/**
 * Members of the result that must be valid if they are present. Many servers write null for an absent member; as structured content null
 * is a value since 2026-07-28.
 */
const resultMembers: Readonly<Record<EraName, Readonly<Record<string, Rule>>>> = {
  modern: table(modernMembers),
  legacy: table({ ...modernMembers, structuredContent: (_text, value) => value.type !== 'null' }),
}

const readBlob = shape({ uri: string, blob: string }, { mimeType: string, _meta: object })

/** Contents of `resources/read`. It is not checked whether a blob is Base64. */
const readContents: Rule = (text, value) => {
  if (value.type !== 'object') return false
  const list = members(text, value.start, value.end)
  return fit(text, list, textContents) || fit(text, list, readBlob)
}

/** A message of a prompt has one content block, of the same kinds as in tool results. */
const promptContent: Rule = (text, value) => {
  const verdict = contentBlock(text, value)
  if (verdict !== false) return verdict
  const [block, ...more] = blocksOf(text, value, maxNesting) ?? []
  return block === undefined || more.length > 0 ? wholeAsText(text, value) : block
}

const role: Rule = (text, value) => {
  const word = stringOf(text, value)
  return word === 'user' || word === 'assistant'
}

const promptMessage: Rule = (text, value) => value.type === 'object' && fit(text, members(text, value.start, value.end), promptMessageShape)
const promptMessageShape = shape({ role, content: promptContent }, {})

/** The results of other methods than tools/call that are checked (2026-07-28, schema). */
const resultShapes = table({
  'prompts/get': resultShape({ messages: listOf(promptMessage) }, { description: string }),
  'resources/read': resultShape({ contents: listOf(readContents) }, {}),
  'completion/complete': resultShape({ completion: object }, {}),
})

function resultShape(required: Shape['required'], optional: Shape['optional']): Shape {
  return shape(required, { ...optional, _meta: object, resultType: () => false })
}

/** A check for an array with only valid elements. */
function listOf(rule: Rule): Rule {
  return (text, value) => {
    if (value.type !== 'array') return false
    let isSame = true
    const kept: string[] = []
    for (const item of elements(text, value.start, value.end)) {
      const verdict = rule(text, item)
      if (verdict === false) return false
      isSame &&= verdict === true
      kept.push(verdict === true ? text.slice(item.start, item.end) : verdict)
    }
    return isSame || `[${kept.join(',')}]`
  }
}

function shape(required: Shape['required'], optional: Shape['optional']): Shape {
  return { required: table(required), optional: table(optional) }
}

function block(required: Shape['required'], optional: Shape['optional'] = {}): Shape {
  return shape(required, { ...optional, annotations, _meta: object })
}

const contentBlock: Rule = (text, value) => {
  if (value.type !== 'object') return false
  if (isPlainText(text, value)) return true
  const list = members(text, value.start, value.end)
  const type = member(list, 'type')
  if (type?.type !== 'string') return false
  const wanted = blockShapes[text.slice(type.start + 1, type.end - 1)]
  return wanted === undefined ? false : fit(text, list, wanted)
}

const plainText = '{"type":"text","text":"'

/**
 * Whether it is the text block that nearly all tool results consist of. The first quote in its text is the last one, so it has no further
 * members.
 */
function isPlainText(text: string, value: Value): boolean {
  return text.startsWith(plainText, value.start) && text.indexOf('"', value.start + plainText.length) === value.end - 2
}

/** Whether an object has a shape; a text where it has that shape without its invalid optional members. */
function fit(text: string, list: readonly Member[], { required, optional }: Shape): boolean | string {
  for (const key in required) if (member(list, key) === undefined) return false
  let kept: string[] | undefined
  for (const [i, m] of list.entries()) {
    const verdict = (required[m.key] ?? optional[m.key])?.(text, m) ?? true
    if (verdict === false && required[m.key] !== undefined) return false
    if (verdict !== true) kept ??= list.slice(0, i).map((one) => text.slice(one.keyStart, one.end))
    if (verdict === true) kept?.push(text.slice(m.keyStart, m.end))
    else if (verdict !== false) kept?.push(text.slice(m.keyStart, m.start) + verdict)
  }
  return kept === undefined || `{${kept.join(',')}}`
}

/** Bounds of flattening nested lists: their depth, and the number of blocks. Everything beyond becomes one text block. */
const maxNesting = 4
const maxBlocks = 10_000

function blocksOf(text: string, value: Value, nesting: number): string[] | undefined {
  const own = text.slice(value.start, value.end)
  const verdict = contentBlock(text, value)
  if (verdict !== false) return [verdict === true ? own : verdict]
  if (value.type === 'null') return []
  if (value.type !== 'array') return [textBlock(value.type === 'string' ? own : JSON.stringify(own))]
  if (nesting === 0 || (own.length > maxBlocks && commas(own) > maxBlocks)) return undefined
  const blocks: string[] = []
  for (const item of elements(text, value.start, value.end)) {
    const found = blocksOf(text, item, nesting - 1)
    if (found === undefined || blocks.length + found.length > maxBlocks) return undefined
    blocks.push(...found)
  }
  return blocks
}

function wholeAsText(text: string, value: Value): string {
  return textBlock(JSON.stringify(text.slice(value.start, value.end)))
}

/** An upper bound of an array's elements, counted no further than needed. */
function commas(text: string): number {
  let count = 0
  for (let at = text.indexOf(','); at !== -1 && count <= maxBlocks; at = text.indexOf(',', at + 1)) count++
  return count
}

function structuredAsText(text: string, result: readonly Member[]): string[] {
  const structured = member(result, 'structuredContent')
  if (structured === undefined || structured.type === 'null') return []
  return [textBlock(JSON.stringify(text.slice(structured.start, structured.end)))]
}

/** @param literal a JSON string literal */
function textBlock(literal: string): string {
  return `{"type":"text","text":${literal}}`
}

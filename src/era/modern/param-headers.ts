import { type Element, type Head, type Message, member, members, type Refusal, refuse, stringOf, textOf } from '../../mcp/mcp.ts'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'

/** An argument that is repeated in a header: `Mcp-Param-<name>` (2026-07-28, streamable HTTP, Custom Headers from Tool Parameters). */
export interface ParamHeader {
  /** In lower case, with its prefix. */
  readonly name: string
  readonly path: readonly string[]
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const types: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])
const none: readonly ParamHeader[] = []

/**
 * The headers that a tool's `inputSchema` asks for by `x-mcp-header`, or why the annotations are invalid: then no client of this
 * revision may show the tool. They are allowed on strings, integers and booleans reached by `properties` alone, once each.
 * @param schema JSON text that was scanned
 */
export function readParamHeaders(schema: string): readonly ParamHeader[] | { readonly fault: string } {
  if (!schema.includes('x-mcp-header')) return none
  const found: ParamHeader[] = []
  const fault = visit(JSON.parse(schema), [], true, found)
  return fault === undefined ? found : { fault }
}

function visit(node: unknown, path: readonly string[], isReachable: boolean, found: ParamHeader[]): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  const schema = node as Readonly<Record<string, unknown>>
  if (!Array.isArray(node) && Object.hasOwn(schema, 'x-mcp-header')) {
    const fault = annotationFault(schema, path, isReachable, found)
    if (fault !== undefined) return fault
    found.push({ name: headerName(schema['x-mcp-header']), path })
  }
  for (const [key, child] of Object.entries(schema)) {
    const isProperties = key === 'properties' && !Array.isArray(node)
    // Under any other keyword an annotation can't say where its value stands.
    const fault = isProperties
      ? visitProperties(child, path, isReachable, found)
      : isData(key)
        ? undefined
        : visit(child, path, false, found)
    if (fault !== undefined) return fault
  }
  return undefined
}

function visitProperties(node: unknown, path: readonly string[], isReachable: boolean, found: ParamHeader[]): string | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return undefined
  for (const [name, child] of Object.entries(node)) {
    const fault = visit(child, [...path, name], isReachable, found)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Keywords whose values are data, not schemas. */
function isData(key: string): boolean {
  return key === 'default' || key === 'const' || key === 'enum' || key === 'examples' || key === 'x-mcp-header'
}

function annotationFault(
  schema: Readonly<Record<string, unknown>>,
  path: readonly string[],
  isReachable: boolean,
  found: readonly ParamHeader[],
): string | undefined {
  const value = schema['x-mcp-header']
  if (!isReachable || path.length === 0) return 'its x-mcp-header stands where no chain of properties leads'
  if (typeof value !== 'string' || !token.test(value)) return 'its x-mcp-header is no header name'
  if (!types.has(schema['type'])) return 'its x-mcp-header is on something other than a string, integer or boolean'
  return found.some((other) => other.name === headerName(value)) ? 'its x-mcp-header names the same header twice' : undefined
}

function headerName(value: unknown): string {
  return `mcp-param-${String(value).toLowerCase()}`
}

/** The headers of a call, as a flat list of names and values; an argument that is absent or null has none. */
export function paramHeaders(declared: readonly ParamHeader[], message: Message): string[] {
  return declared.flatMap(({ name, path }) => {
    const value = valueAt(message, path)
    const text = value === undefined ? undefined : headerText(message.text, value)
    return text === undefined ? [] : [name, encodeHeaderValue(text)]
  })
}

/** Whether a client's headers say what its arguments say (2026-07-28, streamable HTTP, Server Behavior for Custom Headers). */
export function checkParamHeaders(declared: readonly ParamHeader[], head: Head, message: Message): Refusal | undefined {
  for (const { name, path } of declared) {
    const header = head.header(name)
    const decoded = header === undefined ? undefined : decodeHeaderValue(header)
    if (header !== undefined && decoded === undefined) return refuse('header-mismatch', `the ${name} header holds broken Base64`)
    const value = valueAt(message, path)
    const text = value === undefined ? undefined : headerText(message.text, value)
    if (value === undefined || text === undefined) continue
    if (decoded === undefined) return refuse('header-mismatch', `the ${name} header is missing: argument ${path.join('.')} is set`)
    const isSame = value.type === 'number' && /^-?\d+(\.\d+)?$/.test(decoded) ? Number(decoded) === Number(text) : decoded === text
    if (!isSame) return refuse('header-mismatch', `the ${name} header differs from argument ${path.join('.')}`)
  }
  return undefined
}

function valueAt({ text, params }: Message, path: readonly string[]): Element | undefined {
  let value: Element | undefined = member(params ?? [], 'arguments')
  for (const key of path) {
    if (value?.type !== 'object') return undefined
    value = member(members(text, value.start, value.end), key)
  }
  return value
}

/** A primitive as a header writes it; undefined for null, and for what the schema does not allow, which is the server's to refuse. */
function headerText(text: string, value: Element): string | undefined {
  if (value.type === 'string') return stringOf(text, value)
  if (value.type === 'true' || value.type === 'false') return value.type
  if (value.type !== 'number') return undefined
  const number = Number(textOf(text, value))
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? String(number) : undefined
}

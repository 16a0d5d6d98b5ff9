import { type Head, type Message, member, type Refusal, refuse } from '../../mcp/mcp.ts'
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

/** Bound of the annotations of one tool, each of which is a header of every call. */
const maxHeaders = 64

/** The state of a walk over a schema. */
interface Walk {
  readonly found: ParamHeader[]
  readonly names: Set<string>
  /** The names of properties from the root to the current schema. */
  readonly path: string[]
}

/**
 * The headers that a tool's `inputSchema` defines by `x-mcp-header`, or why the annotations are invalid. A tool with invalid ones must not
 * be shown by clients of this revision. Annotations are allowed on strings, integers and booleans that are reached only by `properties`; at
 * most 64, each name once.
 * @param schema JSON text that was scanned
 */
export function readParamHeaders(schema: string): readonly ParamHeader[] | { readonly fault: string } {
  if (!schema.includes('x-mcp-header')) return none
  const walk: Walk = { found: [], names: new Set(), path: [] }
  const fault = visit(JSON.parse(schema), true, walk)
  return fault === undefined ? walk.found : { fault }
}

function visit(node: unknown, isReachable: boolean, walk: Walk): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  const schema = node as Readonly<Record<string, unknown>>
  if (!Array.isArray(node) && Object.hasOwn(schema, 'x-mcp-header')) {
    const fault = take(schema, isReachable, walk)
    if (fault !== undefined) return fault
  }
  for (const [key, child] of Object.entries(schema)) {
    const isProperties = key === 'properties' && !Array.isArray(node)
    // Below other keywords it would not be clear which argument an annotation means.
    const fault = isProperties ? visitProperties(child, isReachable, walk) : isData(key) ? undefined : visit(child, false, walk)
    if (fault !== undefined) return fault
  }
  return undefined
}

function visitProperties(node: unknown, isReachable: boolean, walk: Walk): string | undefined {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return undefined
  for (const [name, child] of Object.entries(node)) {
    walk.path.push(name)
    const fault = visit(child, isReachable, walk)
    walk.path.pop()
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Keywords whose values are data, not schemas. */
function isData(key: string): boolean {
  return key === 'default' || key === 'const' || key === 'enum' || key === 'examples' || key === 'x-mcp-header'
}

/** Adds the annotation of a schema, or returns what is wrong with it. */
function take(schema: Readonly<Record<string, unknown>>, isReachable: boolean, { found, names, path }: Walk): string | undefined {
  const value = schema['x-mcp-header']
  if (!isReachable || path.length === 0) return 'its x-mcp-header stands where no chain of properties leads'
  if (typeof value !== 'string' || !token.test(value)) return 'its x-mcp-header is no header name'
  if (!types.has(schema['type'])) return 'its x-mcp-header is on something other than a string, integer or boolean'
  const name = `mcp-param-${value.toLowerCase()}`
  if (names.has(name)) return 'its x-mcp-header names the same header twice'
  if (found.length === maxHeaders) return `its x-mcp-header asks for more than ${maxHeaders} headers`
  names.add(name)
  found.push({ name, path: path.slice() })
  return undefined
}

/** The headers of a call as alternating names and values. An argument that is absent or null has no header. */
export function paramHeaders(declared: readonly ParamHeader[], message: Message): string[] {
  if (declared.length === 0) return []
  const args = argumentsOf(message)
  return declared.flatMap(({ name, path }) => {
    const text = headerText(valueAt(args, path))
    return text === undefined ? [] : [name, encodeHeaderValue(text)]
  })
}

/** Refuses a call whose headers do not repeat its arguments (2026-07-28, streamable HTTP, Server Behavior for Custom Headers). */
export function checkParamHeaders(declared: readonly ParamHeader[], head: Head, message: Message): Refusal | undefined {
  if (declared.length === 0) return undefined
  const args = argumentsOf(message)
  for (const { name, path } of declared) {
    const header = head.header(name)
    const decoded = header === undefined ? undefined : decodeHeaderValue(header)
    if (header !== undefined && decoded === undefined) return refuse('header-mismatch', `the ${name} header holds broken Base64`)
    const value = valueAt(args, path)
    const text = headerText(value)
    if (text === undefined) continue
    if (decoded === undefined) return refuse('header-mismatch', `the ${name} header is missing: argument ${path.join('.')} is set`)
    const isSame = typeof value === 'number' && /^-?\d+(\.\d+)?$/.test(decoded) ? Number(decoded) === value : decoded === text
    if (!isSame) return refuse('header-mismatch', `the ${name} header differs from argument ${path.join('.')}`)
  }
  return undefined
}

/**
 * The arguments, parsed once for all headers: scanning them once for each header would take time proportional to the size of the arguments
 * times the number of headers.
 */
function argumentsOf({ text, params }: Message): unknown {
  const args = member(params ?? [], 'arguments')
  return args === undefined ? undefined : JSON.parse(text.slice(args.start, args.end))
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return value
}

/** The header value of a primitive; undefined for null, and for types that the schema does not allow, which the server refuses. */
function headerText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number') return undefined
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? String(value) : undefined
}

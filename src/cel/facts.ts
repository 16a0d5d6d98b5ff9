import type { Caller, Head } from '../mcp/mcp.ts'
import { secretHeaders } from './vocabulary.ts'

/**
 * The values of the variables of rules: an instance for each variable of `vocabulary.ts`, with a getter or field for each of its fields.
 */
export interface Facts {
  readonly jwt: ReadonlyMap<unknown, unknown>
  readonly apiKey: ReadonlyMap<unknown, unknown>
  readonly source: Source
  readonly request: Request
}

export interface ItemFacts extends Facts {
  readonly mcp: Mcp
}

/** Where a request comes from. */
export class Source {
  readonly address: string
  readonly identity: string | undefined
  readonly subject: string | undefined
  readonly issuer: string | undefined
  readonly subjectAltNames: readonly string[] | undefined

  constructor(head: Head) {
    this.address = head.remote
    const shown = head.tls?.certificate
    const certificate = shown === 'refused' ? undefined : shown
    this.identity = certificate?.identity
    this.subject = certificate?.subject
    this.issuer = certificate?.issuer
    this.subjectAltNames = certificate?.alternativeNames
  }
}

export class Request {
  readonly #head: Head
  #headers: Headers | undefined

  constructor(head: Head) {
    this.#head = head
  }
  get method(): string {
    return this.#head.method
  }
  get path(): string {
    return this.#head.path
  }
  get pathAndQuery(): string {
    return this.#head.query === '' ? this.#head.path : `${this.#head.path}?${this.#head.query}`
  }
  get host(): string {
    return this.#head.host
  }
  get headers(): Headers {
    this.#headers ??= new Headers(this.#head)
    return this.#headers
  }
}

/** Headers by their name in any case, without those that hold credentials. */
export class Headers extends Map<string, string> {
  readonly #head: Head
  constructor(head: Head) {
    super()
    this.#head = head
  }
  override get(name: string): string | undefined {
    if (typeof name !== 'string') return undefined
    const lower = name.toLowerCase()
    return secretHeaders.has(lower) ? undefined : this.#head.header(lower)
  }
}

/** The MCP request that a rule is asked about. Exactly one of `tool`, `prompt` and `resource` is set. */
export class Mcp {
  readonly method: string
  readonly methodName: string
  readonly tool: Tool | undefined
  readonly prompt: Prompt | undefined
  readonly resource: Resource | undefined

  constructor(method: string, about: Tool | Prompt | Resource) {
    this.method = method
    this.methodName = method
    this.tool = about instanceof Tool ? about : undefined
    this.prompt = about instanceof Prompt ? about : undefined
    this.resource = about instanceof Resource ? about : undefined
  }
}

export class Tool {
  readonly name: string
  readonly server: string
  readonly target: string
  readonly #annotations: ReadonlyMap<string, unknown>
  readonly #arguments: ReadonlyMap<string, unknown>
  #seenAnnotations: ReadonlyMap<unknown, unknown> | undefined
  #seenArguments: ReadonlyMap<unknown, unknown> | undefined

  /** @param annotations and `given`, the call's arguments: JSON as `readJson` returns it */
  constructor(name: string, server: string, annotations: ReadonlyMap<string, unknown>, given: ReadonlyMap<string, unknown>) {
    this.name = name
    this.server = server
    this.target = server
    this.#annotations = annotations
    this.#arguments = given
  }
  get annotations(): ReadonlyMap<unknown, unknown> {
    this.#seenAnnotations ??= toFacts(this.#annotations)
    return this.#seenAnnotations
  }
  get arguments(): ReadonlyMap<unknown, unknown> {
    this.#seenArguments ??= toFacts(this.#arguments)
    return this.#seenArguments
  }
}

export class Prompt {
  readonly name: string
  readonly server: string
  readonly target: string

  constructor(name: string, server: string) {
    this.name = name
    this.server = server
    this.target = server
  }
}

export class Resource {
  readonly name: string
  readonly uri: string
  readonly server: string
  readonly target: string

  constructor(uri: string, server: string) {
    this.name = uri
    this.uri = uri
    this.server = server
    this.target = server
  }
}

const empty: ReadonlyMap<unknown, unknown> = new Map()
/** Claims in the form that rules see, made once for each credential. */
const seenClaims = new WeakMap<Caller, ReadonlyMap<unknown, unknown>>()

/** What is known of a request from its head and its caller alone. */
export function factsOf(caller: Caller, head: Head): Facts {
  return {
    jwt: caller.kind === 'jwt' ? claimsOf(caller) : empty,
    apiKey: caller.kind === 'apiKey' ? claimsOf(caller) : empty,
    source: new Source(head),
    request: new Request(head),
  }
}

function claimsOf(caller: Caller): ReadonlyMap<unknown, unknown> {
  const known = seenClaims.get(caller)
  if (known !== undefined) return known
  const claims = new Map<string, unknown>(caller.claims)
  if (caller.kind === 'apiKey') claims.set('id', caller.subject)
  const seen = toFacts(claims)
  seenClaims.set(caller, seen)
  return seen
}

/** Turns JSON as `readJson` returns it into the form that rules see. */
function toFacts(map: ReadonlyMap<string, unknown>): ReadonlyMap<unknown, unknown> {
  const seen = new FlatMap()
  for (const [key, value] of map) seen.set(key, toFact(value))
  return seen
}

function toFact(value: unknown): unknown {
  if (value instanceof Map) return toFacts(value)
  return Array.isArray(value) ? value.map(toFact) : value
}

/**
 * A map that hides its entries when the evaluator infers its type, so that all maps have one type. The evaluator infers a map's type from
 * its first entry and keeps every type that it meets for ever, so callers could fill memory with new ones.
 */
class FlatMap extends Map<unknown, unknown> {
  override entries(): MapIterator<[unknown, unknown]> {
    return new Map<unknown, unknown>().entries()
  }
}
// The evaluator takes for a map only what Map itself constructed.
Object.defineProperty(FlatMap.prototype, 'constructor', { value: Map })

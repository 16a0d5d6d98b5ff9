/** What a name holds: an object with known fields, or a leaf, such as a text or a map whose keys an issuer or caller chose. */
export type Shape =
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, Shape>> }
  | { readonly kind: 'leaf'; readonly type: string }

const leaf = (type: string): Shape => ({ kind: 'leaf', type })
const fields = (shapes: Readonly<Record<string, Shape>>): Shape => ({ kind: 'fields', fields: shapes })
const text = leaf('string')
const open = leaf('map')

const named = { name: text, server: text, target: text }

const caller = {
  jwt: open,
  apiKey: open,
  source: fields({ address: text, identity: text, subject: text, issuer: text, subjectAltNames: leaf('list<string>') }),
  request: fields({ method: text, path: text, pathAndQuery: text, host: text, headers: leaf('Headers') }),
} satisfies Readonly<Record<string, Shape>>

/** The variables of each scope. An optional field may be absent, which `has()` tells. */
export const variables = {
  access: caller,
  item: {
    ...caller,
    mcp: fields({
      method: text,
      methodName: text,
      tool: fields({ ...named, annotations: open, arguments: open }),
      prompt: fields(named),
      resource: fields({ ...named, uri: text }),
    }),
  },
} satisfies Readonly<Record<string, Readonly<Record<string, Shape>>>>

/** Headers that hold credentials. Rules don't see them: they see the identity that was verified. */
export const secretHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key'])

/** Methods by which items are used; rules are asked about no others. */
export const itemMethods: readonly string[] = ['tools/call', 'prompts/get', 'resources/read', 'resources/subscribe', 'completion/complete']

/**
 * A function that rules may call. Functions that are not listed don't exist for rules: of each listed one the cost is known to be bounded.
 */
export interface Callable {
  /** How many arguments. */
  readonly takes: readonly number[]
  /** The name of our own implementation, which is compiled in place of the library's. */
  readonly ours?: string
  /** Runs its last argument once for each value of what it is called on. */
  readonly isLoop?: true
  /** Takes time linear in the text or list that it is called on, or that is its argument. */
  readonly isLinear?: true
}

export const functions: ReadonlyMap<string, Callable> = new Map(
  Object.entries({
    has: { takes: [1] },
    default: { takes: [2] },
    size: { takes: [1], isLinear: true },
    string: { takes: [1] },
    int: { takes: [1] },
    uint: { takes: [1] },
    double: { takes: [1], isLinear: true },
    bool: { takes: [1] },
    type: { takes: [1] },
    dyn: { takes: [1] },
    timestamp: { takes: [1] },
    duration: { takes: [1] },
    cidr: { takes: [1] },
    isIP: { takes: [1], isLinear: true },
  } satisfies Record<string, Callable>),
)

export const methods: ReadonlyMap<string, Callable> = new Map(
  Object.entries({
    all: { takes: [2], isLoop: true },
    exists: { takes: [2], isLoop: true },
    exists_one: { takes: [2], isLoop: true },
    filter: { takes: [2], isLoop: true },
    map: { takes: [2, 3], isLoop: true },
    size: { takes: [0], isLinear: true },
    contains: { takes: [1], ours: 'contains_' },
    startsWith: { takes: [1], isLinear: true },
    endsWith: { takes: [1], isLinear: true },
    matches: { takes: [1], ours: 'matches_' },
    lowerAscii: { takes: [0], isLinear: true, ours: 'lowerAscii_' },
    upperAscii: { takes: [0], isLinear: true, ours: 'upperAscii_' },
    trim: { takes: [0], isLinear: true },
    indexOf: { takes: [1], ours: 'indexOf_' },
    lastIndexOf: { takes: [1], ours: 'lastIndexOf_' },
    substring: { takes: [1, 2], isLinear: true },
    split: { takes: [1], ours: 'split_' },
    containsIP: { takes: [1] },
    hasValue: { takes: [0] },
    value: { takes: [0] },
    or: { takes: [1] },
    orValue: { takes: [1] },
    of: { takes: [1] },
    none: { takes: [0] },
    getFullYear: { takes: [0] },
    getMonth: { takes: [0] },
    getDate: { takes: [0] },
    getDayOfMonth: { takes: [0] },
    getDayOfWeek: { takes: [0] },
    getDayOfYear: { takes: [0] },
    getHours: { takes: [0] },
    getMinutes: { takes: [0] },
    getSeconds: { takes: [0] },
    getMilliseconds: { takes: [0] },
  } satisfies Record<string, Callable>),
)

/** Names that are no variables: types, to compare `type(…)` with, and the namespace of optional values. */
export const constants: ReadonlySet<string> = new Set([
  'optional',
  'string',
  'bool',
  'int',
  'uint',
  'double',
  'map',
  'list',
  'null_type',
  'type',
])

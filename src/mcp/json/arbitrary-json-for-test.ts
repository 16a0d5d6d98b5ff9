import fc from 'fast-check'

/** Texts of JSON objects as a peer may write them, with white space, escapes, odd numbers, odd and repeated keys. */
export function objectText(options: { readonly repeats: boolean }): fc.Arbitrary<string> {
  const { object } = fc.letrec<{ value: string; object: string; array: string }>((tie) => ({
    value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalarText, tie('object'), tie('array')),
    object: fc.tuple(space, fc.array(fc.tuple(keyText, space, tie('value')), { maxLength: 5 })).map(([gap, list]) => {
      const seen = new Set<string>()
      const kept = list.filter(([key]) => options.repeats || isNew(seen, JSON.parse(key)))
      return `{${gap}${kept.map(([key, pad, value]) => `${key}${pad}:${gap}${value}${pad}`).join(`,${gap}`)}}`
    }),
    array: fc.tuple(space, fc.array(tie('value'), { maxLength: 4 })).map(([gap, list]) => `[${gap}${list.join(`${gap},${gap}`)}${gap}]`),
  }))
  const within = (outer: string, key: string, inner: string) => {
    const value = JSON.parse(outer)
    if (!options.repeats && Object.hasOwn(value, key)) return outer
    return `{"${key}":${inner}${Object.keys(value).length === 0 ? '' : ','}${outer.slice(1)}`
  }
  const envelope = fc
    .tuple(object, fc.constantFrom('params', 'result'), object, object)
    .map(([top, key, body, meta]) => within(top, key, within(body, '_meta', meta)))
  return fc.oneof(object, envelope)
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n', '  ')

const envelopeNames = ['jsonrpc', 'id', 'method', 'params', '_meta', 'result', 'name', 'arguments', 'progressToken', 'task', 'tools']
const oddNames = [
  'Method',
  'PARAMS',
  '_Meta',
  'paramſ',
  'taſK',
  'tas\u212a',
  'x',
  'X',
  '__proto__',
  'constructor',
  '0',
  '',
  'ſ',
  'é"\\',
  '\ud800',
]

const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...envelopeNames) },
  { weight: 3, arbitrary: fc.constantFrom(...oddNames) },
  // JSON.parse of Node 26.10, once it has met the key "\\", takes a later escaped key, such as "\u0062", for that key; so it can't be the
  // reference for them.
  fc.string({ maxLength: 4 }).filter((text) => !text.startsWith('\\')),
)
const keyText = quoted(name)

const scalarText = fc.oneof(
  fc.constantFrom('true', 'false', 'null', '0', '-0', '1.0', '1e400', '-1E-7', '12345678901234567890', '0.10'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  quoted(fc.string({ unit: 'binary', maxLength: 8 })),
  quoted(fc.string({ unit: fc.constantFrom('a', 'é', '\\', '"', '\n'), minLength: 90, maxLength: 200 })),
)

/** The JSON text of a string, in which some characters are escaped that need not be. */
function quoted(content: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(content, fc.constantFrom(1, 2, 3, 1000)).map(([characters, every]) => {
    const units = Array.from({ length: characters.length }, (_, i) => characters.charCodeAt(i))
    return `"${units.map((unit, i) => ((i + 1) % every === 0 && every < 1000 ? unicodeEscape(unit) : plain(unit))).join('')}"`
  })
}

function plain(unit: number): string {
  return unit < 0x20 || unit === 0x22 || unit === 0x5c ? unicodeEscape(unit) : String.fromCharCode(unit)
}

function unicodeEscape(unit: number): string {
  if (unit === 0x22) return '\\"'
  if (unit === 0x5c) return '\\\\'
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

function isNew(seen: Set<string>, key: string): boolean {
  const { size } = seen
  return seen.add(key).size > size
}

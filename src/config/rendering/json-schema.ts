import { documentSchema } from '../keys/keys.ts'
import type { Key, KeyRule, ObjectShape, Shape, TextShape } from '../schema/schema.ts'

type Json = Readonly<Record<string, unknown>>

/** What the schema is called. It is a name, not a place: nothing is to be fetched there (RFC 4151). */
const schemaId = 'tag:mcplex.dev,2026:configuration'

/**
 * The JSON Schema (draft 2020-12) of documents in short and long form, for editors. Secret keys have `writeOnly`, and keys that this
 * version refuses say so. It accepts documents whose faults only show in the whole document or in the environment.
 */
export function jsonSchema(): object {
  const defs = new Map<string, Json>()
  const root = objectSchema(documentSchema, defs)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId,
    title: 'mcplex configuration',
    description: 'MCP servers, and which of their tools each agent sees. `mcplex check FILE` says more than this schema can.',
    examples: [
      { servers: { math: 'http://127.0.0.1:8001/mcp', date: 'http://127.0.0.1:8002/mcp' }, agents: { accountant: { tools: ['math_*'] } } },
    ],
    ...root,
    $defs: Object.fromEntries([...defs].sort(([one], [other]) => (one < other ? -1 : 1))),
  }
}

function schemaOf(shape: Shape, defs: Map<string, Json>): Json {
  switch (shape.kind) {
    case 'text':
      return textSchema(shape)
    case 'number':
      return orReference(titleOf(shape), { type: shape.isInteger ? 'integer' : 'number', minimum: shape.min, maximum: shape.max })
    case 'boolean':
      return orReference(titleOf(shape), { type: 'boolean' })
    case 'choice': {
      const values = shape.values.filter((value) => !shape.later.includes(value))
      return values.length === 1 && shape.values.length === 1 ? { const: values[0] } : orReference(titleOf(shape), { enum: values })
    }
    case 'list':
      return {
        type: 'array',
        items: schemaOf(shape.item, defs),
        ...(shape.min === 0 ? {} : { minItems: shape.min }),
        ...(shape.later === undefined ? {} : { maxItems: 1 }),
      }
    case 'map':
      return { type: 'object', propertyNames: patternOf(shape.names), additionalProperties: schemaOf(shape.value, defs) }
    case 'object':
      if (!defs.has(shape.title)) {
        // Set first, so that it keeps its place, and a shape that contains itself ends here.
        defs.set(shape.title, {})
        defs.set(shape.title, objectSchema(shape, defs))
      }
      return { $ref: `#/$defs/${shape.title}` }
    case 'either':
      return { anyOf: shape.of.flatMap((one) => branchesOf(one, defs)) }
    case 'json':
      return { type: 'object' }
  }
}

/** The ways in which a value may be written, each with its name, for a place where there are several. */
function branchesOf(shape: Shape, defs: Map<string, Json>): readonly Json[] {
  const schema = schemaOf(shape, defs)
  return Array.isArray(schema['anyOf']) ? schema['anyOf'] : [{ title: titleOf(shape), ...schema }]
}

function titleOf(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.label
    case 'number':
      return shape.isInteger ? 'integer' : 'number'
    case 'choice':
      return shape.values.join(' or ')
    case 'list':
      return `list of ${titleOf(shape.item)}`
    case 'object':
      return 'object, key by key'
    case 'map':
    case 'json':
      return 'object'
    case 'either':
      return shape.of.map(titleOf).join(' or ')
    case 'boolean':
      return 'boolean'
  }
}

const reference = { title: 'reference', type: 'string', pattern: '\\$\\{', examples: ['${VAR}', '${VAR:-default}'] }

function orReference(title: string, schema: Json): Json {
  return { anyOf: [{ title, ...schema }, reference] }
}

function textSchema(shape: TextShape): Json {
  if (shape.isSecret === true) return { type: 'string', writeOnly: true, examples: ['${SECRET}', '${file:secret.txt}'] }
  const pattern = shape.pattern ?? shape.editorPattern
  return {
    type: 'string',
    ...(pattern === undefined ? {} : { pattern: `(?:${pattern.source})|\\$[{$]` }),
    ...(shape.examples === undefined ? {} : { examples: shape.examples }),
  }
}

function patternOf(names: TextShape): Json {
  const pattern = names.pattern ?? names.editorPattern
  return pattern === undefined ? {} : { pattern: pattern.source }
}

function objectSchema(shape: ObjectShape, defs: Map<string, Json>): Json {
  const required = Object.entries(shape.keys).flatMap(([name, key]) => (key.isRequired ? [name] : []))
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(shape.keys).map(([name, key]) => [name, keySchema(key, defs)])),
    ...(shape.hasExtensions
      ? { patternProperties: { '^x-': { description: 'Means nothing: a place for blocks that are repeated.' } } }
      : {}),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
    ...rulesSchema(shape),
  }
}

function keySchema(key: Key, defs: Map<string, Json>): Json {
  const isSecret = key.schema.kind === 'text' && key.schema.isSecret === true
  const later = key.schema.kind === 'choice' ? key.schema.later : []
  const notes = [
    key.about,
    ...(isSecret ? ['Secret: write ${VAR} or ${file:PATH}.'] : []),
    ...(later.length === 0 ? [] : [`Not supported yet: ${later.join(', ')}.`]),
  ]
  // Its default alone is what this version does.
  if (key.later !== undefined) {
    const description = `${key.about} Not supported yet: ${key.later}.`
    return { description, ...(key.default === undefined ? { not: {} } : { const: key.default }) }
  }
  const hasPlainDefault = key.default !== undefined && JSON.stringify(key.default) !== '{}'
  return {
    description: notes.join(' '),
    ...(hasPlainDefault ? { default: key.default } : {}),
    ...schemaOf(key.schema, defs),
    ...(key.examples === undefined ? {} : { examples: key.examples }),
  }
}

function rulesSchema({ keys, rules }: ObjectShape): Json {
  const allOf = rules.map((rule) => ruleSchema(rule, keys))
  return allOf.length === 0 ? {} : { allOf }
}

function ruleSchema(rule: KeyRule, keys: ObjectShape['keys']): Json {
  if (rule.kind === 'one-of') {
    const able = rule.keys.filter((key) => keys[key]?.later === undefined)
    return able.length === 1 ? written(able[0] ?? '') : { oneOf: able.map(written) }
  }
  if (rule.kind === 'needs') return { dependentRequired: { [rule.key]: [rule.other] } }
  return { not: { allOf: [written(rule.key), { anyOf: rule.others.map(written) }] } }
}

function written(key: string): Json {
  return { properties: { [key]: true }, required: [key] }
}

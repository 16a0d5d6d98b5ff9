import { documentSchema } from '../keys/keys.ts'
import type { Key, KeyRule, ObjectShape, Shape, TextShape } from '../schema/schema.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * The JSON Schema (draft 2020-12) of a document, short and long form, for editors. Secret keys carry `writeOnly`; keys that this
 * version refuses say so. It lets through what only the whole document or its variables can show to be wrong.
 */
export function jsonSchema(): object {
  const defs = new Map<string, Json>()
  const root = objectSchema(documentSchema, defs)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'mcplex configuration',
    ...root,
    $defs: Object.fromEntries([...defs].sort(([one], [other]) => (one < other ? -1 : 1))),
  }
}

function schemaOf(shape: Shape, defs: Map<string, Json>): Json {
  switch (shape.kind) {
    case 'text':
      return textSchema(shape)
    case 'number':
      return orReference({ type: shape.isInteger ? 'integer' : 'number', minimum: shape.min, maximum: shape.max })
    case 'boolean':
      return orReference({ type: 'boolean' })
    case 'choice':
      return shape.values.length === 1 ? { const: shape.values[0] } : orReference({ enum: shape.values })
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
        // Set first: it keeps its place, and a shape inside itself would end here.
        defs.set(shape.title, {})
        defs.set(shape.title, objectSchema(shape, defs))
      }
      return { $ref: `#/$defs/${shape.title}` }
    case 'either':
      return { anyOf: shape.of.map((one) => schemaOf(one, defs)) }
    case 'json':
      return { type: 'object' }
  }
}

const reference = { type: 'string', pattern: '\\$\\{' }

function orReference(schema: Json): Json {
  return { anyOf: [schema, reference] }
}

function textSchema(shape: TextShape): Json {
  if (shape.isSecret === true) return { type: 'string', writeOnly: true }
  const pattern = shape.pattern ?? shape.editorPattern
  return { type: 'string', ...(pattern === undefined ? {} : { pattern: `(?:${pattern.source})|\\$[{$]` }) }
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
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
    ...rulesSchema(shape.rules),
  }
}

function keySchema(key: Key, defs: Map<string, Json>): Json {
  const isSecret = key.schema.kind === 'text' && key.schema.isSecret === true
  const notes = [
    key.about,
    ...(isSecret ? ['Secret: write ${VAR} or ${file:PATH}.'] : []),
    ...(key.later === undefined ? [] : ['Not supported yet.']),
  ]
  const hasPlainDefault = key.default !== undefined && JSON.stringify(key.default) !== '{}'
  return { description: notes.join(' '), ...(hasPlainDefault ? { default: key.default } : {}), ...schemaOf(key.schema, defs) }
}

function rulesSchema(rules: readonly KeyRule[]): Json {
  const allOf = rules.map((rule) => {
    if (rule.kind === 'one-of') return { oneOf: rule.keys.map((key) => ({ required: [key] })) }
    if (rule.kind === 'needs') return { dependentRequired: { [rule.key]: [rule.other] } }
    return { not: { required: [rule.key], anyOf: rule.others.map((other) => ({ required: [other] })) } }
  })
  return allOf.length === 0 ? {} : { allOf }
}

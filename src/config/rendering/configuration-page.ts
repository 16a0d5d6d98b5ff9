import { documentSchema } from '../keys/keys.ts'
import type { Key, ObjectShape, Shape } from '../schema/schema.ts'
import { generated } from './generated.ts'

/** The page (Markdown) with every key of a document: its type, default, meaning, and whether it works yet. */
export function configurationPage(): string {
  const objects = objectsOf(documentSchema)
  const sections = [...objects.values()].map(({ path, shape }) => {
    const title = path === '' ? 'The document' : `\`${path}\``
    const rows = Object.entries(shape.keys).map(([name, key]) => row(name, key, objects))
    return [`## ${title}`, '', ...rulesOf(shape), '| key | type | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n')
  })
  return `${generated}# Configuration, key by key

One YAML or JSON document. Durations are texts such as \`500ms\`, \`5s\` or \`1h30m\`; sizes are texts such as \`16KiB\` or \`4MiB\`. In any text
\`\${VAR}\`, \`\${VAR:-text}\` and \`\${file:PATH}\` stand for a variable, a variable with a default and a file's content (PATH is relative to the
document); \`$$\` is a dollar. Names are lower-case letters, digits and inner hyphens, at most 63; maps keep their order, but for names of
digits alone, which come first. What is said in several places can be said once: keys at the top that begin with \`x-\` mean nothing, so blocks have
a place there, and the merge key takes them in (\`x-common: &common { era: legacy }\`, then \`<<: *common\`). Keys marked *not yet* are known, and refused as \`not-supported\`.

${sections.join('\n')}`
}

/** All objects of the schema by title. Breadth first, so that an object that stands in many places is described at the outermost one. */
function objectsOf(root: ObjectShape): ReadonlyMap<string, { path: string; shape: ObjectShape }> {
  const objects = new Map<string, { path: string; shape: ObjectShape }>()
  const queue: { path: string; shape: Shape }[] = [{ path: '', shape: root }]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { path, shape } = next
    if (shape.kind === 'list') queue.push({ path: `${path}[]`, shape: shape.item })
    else if (shape.kind === 'map') queue.push({ path: `${path}.<name>`, shape: shape.value })
    else if (shape.kind === 'either') queue.push(...shape.of.map((one) => ({ path, shape: one })))
    else if (shape.kind === 'object' && !objects.has(shape.title)) {
      objects.set(shape.title, { path, shape })
      for (const [name, key] of Object.entries(shape.keys)) queue.push({ path: path === '' ? name : `${path}.${name}`, shape: key.schema })
    }
  }
  return objects
}

function row(name: string, key: Key, objects: ReadonlyMap<string, { path: string }>): string {
  const marks = `${key.isRequired ? ' **required**' : ''}${key.later === undefined ? '' : ' *not yet*'}`
  const beside = key.beside === undefined ? '' : ` with \`${key.beside}\``
  const value = key.default === undefined || JSON.stringify(key.default) === '{}' ? '' : `\`${defaultText(key.default)}\`${beside}`
  const later = laterOf(key.schema)
  const about = `${key.about}${later === '' ? '' : ` Not yet: ${later}.`}`
  return `| \`${name}\`${marks} | ${typeText(key.schema, objects)} | ${value} | ${about.replaceAll('|', '\\|')} |`
}

function defaultText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function laterOf(shape: Shape): string {
  if (shape.kind === 'choice') return shape.later.map((value) => `\`${value}\``).join(', ')
  return shape.kind === 'list' && shape.later !== undefined ? 'more than one' : ''
}

function typeText(shape: Shape, objects: ReadonlyMap<string, { path: string }>): string {
  switch (shape.kind) {
    case 'text':
      return shape.isSecret === true ? `secret ${shape.label}` : shape.label
    case 'number':
      return `${shape.isInteger ? 'integer' : 'number'} ${shape.min}–${shape.max}`
    case 'choice':
      return shape.values.map((value) => `\`${value}\``).join(' \\| ')
    case 'list':
      return `list of ${typeText(shape.item, objects)}`
    case 'map':
      return `map of ${typeText(shape.value, objects)}`
    case 'object':
      return `\`${objects.get(shape.title)?.path ?? shape.title}\``
    case 'either':
      return shape.of.map((one) => typeText(one, objects)).join(' or ')
    case 'boolean':
      return 'boolean'
    case 'json':
      return 'object'
  }
}

function rulesOf(shape: ObjectShape): readonly string[] {
  return shape.rules.flatMap((rule) => {
    const code = (keys: readonly string[]): string => keys.map((key) => `\`${key}\``).join(', ')
    if (rule.kind === 'one-of') return [`Exactly one of ${code(rule.keys)}.`, '']
    if (rule.kind === 'needs') return [`\`${rule.key}\` needs \`${rule.other}\` beside it.`, '']
    return [`\`${rule.key}\` excludes ${code(rule.others)}.`, '']
  })
}

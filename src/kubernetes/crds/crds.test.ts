import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { configSchema } from '../../config/config.ts'
import { backendFields } from '../fields/fields.ts'
import type { PolicyField } from '../fields/policy-field.ts'
import { isRaw, type Kind, kinds, listAt, type Raw, rawAt, textAt, valueAt } from '../objects/objects.ts'
import { crds } from './crds.ts'

const builtIn = /^$|k8s\.io$|^apps$|^policy$|^autoscaling$/

function versionOf(crd: Raw): Raw {
  const [version] = listAt(crd, 'spec', 'versions')
  assert.ok(isRaw(version))
  return version
}

const schemaOf = (crd: Raw): Raw => rawAt(versionOf(crd), 'schema', 'openAPIV3Schema')

/** All schemas in one, with where they are. */
function* schemasIn(schema: Raw, place = ''): Generator<readonly [string, Raw]> {
  yield [place, schema]
  for (const [name, member] of Object.entries(rawAt(schema, 'properties'))) yield* schemasIn(member as Raw, `${place}.${name}`)
  if (isRaw(schema['items'])) yield* schemasIn(schema['items'], `${place}[]`)
}

/** The schema at a JSON path of a column, or of a field; undefined where there is none. */
function schemaAt(schema: Raw, path: string): Raw | undefined {
  let here: unknown = schema
  for (const [, name] of path.matchAll(/\.([a-zA-Z]+)(?:\[[^\]]*\])?/g)) {
    const next = valueAt(here, 'properties', name ?? '')
    here = valueAt(next, 'items') ?? next
  }
  return isRaw(here) ? here : undefined
}

describe('the definitions', () => {
  it('are those of every kind that Kubernetes and the Gateway API do not bring', () => {
    const ours = (kinds as readonly Kind[]).filter(({ group }) => !builtIn.test(group))
    assert.deepEqual(
      Object.values(crds).map((crd) => [crd['metadata'], textAt(crd, 'spec', 'scope'), versionOf(crd)['name']]),
      ours.map(({ group, plural, version }) => [
        { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/name': 'mcplex' } },
        'Namespaced',
        version,
      ]),
    )
  })

  for (const [file, crd] of Object.entries<Raw>(crds)) {
    const schemas = [...schemasIn(schemaOf(crd))]

    it(`${file} describes every field`, () => {
      for (const [place, schema] of schemas)
        assert.ok(place === '.metadata' || place.endsWith('[]') || textAt(schema, 'description') !== undefined, place)
    })

    it(`${file} bounds every list and says how two writers share it`, () => {
      for (const [place, schema] of schemas.filter(([, schema]) => schema['type'] === 'array')) {
        assert.equal(typeof schema['maxItems'], 'number', place)
        const keys = listAt(schema, 'x-kubernetes-list-map-keys')
        assert.equal(schema['x-kubernetes-list-type'], keys.length === 0 ? 'atomic' : 'map', place)
        for (const key of keys) assert.ok(listAt(schema, 'items', 'required').includes(key), `${place}: ${String(key)}`)
      }
    })

    it(`${file} keeps what it doesn't know in a spec, so that the controller can name it`, () => {
      const objects = schemas.filter(([place, schema]) => place.startsWith('.spec') && schema['type'] === 'object')
      for (const [place, schema] of objects)
        assert.ok(schema['x-kubernetes-preserve-unknown-fields'] === true || isRaw(schema['additionalProperties']), place)
    })

    it(`${file} has rules that speak of fields which are there, and a sentence for each`, () => {
      for (const [place, schema] of schemas) {
        for (const rule of listAt(schema, 'x-kubernetes-validations')) {
          assert.match(textAt(rule, 'message') ?? '', /\w+ \w+/, place)
          for (const [, path = ''] of (textAt(rule, 'rule') ?? '').matchAll(/self((?:\.[a-zA-Z_]+)+)\b(?!\()/g)) {
            const plain = path.replaceAll('__', '')
            assert.ok(schemaAt(schema, plain) !== undefined, `${place}: ${path}`)
          }
        }
      }
    })

    it(`${file} has columns that show fields which are there`, () => {
      for (const column of listAt(versionOf(crd), 'additionalPrinterColumns')) {
        const path = textAt(column, 'jsonPath') ?? ''
        assert.ok(path.startsWith('.metadata') || schemaAt(schemaOf(crd), path) !== undefined, path)
      }
    })
  }
})

describe('the columns of kubectl get', () => {
  const columns = Object.values(crds).map((crd) => [
    textAt(crd, 'spec', 'names', 'kind'),
    listAt(versionOf(crd), 'additionalPrinterColumns')
      .map((column) => (textAt(column, 'name') ?? '').toUpperCase())
      .join(' '),
  ])
  it('are these', () => {
    assert.deepEqual(Object.fromEntries(columns), {
      Backend: 'TYPE ACCEPTED TARGETS READY TOOLS AGE',
      AgentgatewayBackend: 'ACCEPTED TARGETS READY TOOLS AGE',
      AgentgatewayPolicy: 'ACCEPTED ATTACHED AGE',
      Agent: 'ACCEPTED SERVERS TOOLS AGE',
      GatewayParameters: 'REPLICAS MIN MAX SERVICE AGE',
    })
  })
})

describe('an Agent', () => {
  const spec = rawAt(schemaOf(crds['mcplex.dev_agents.yaml']), 'properties', 'spec')
  const agents = configSchema.keys['agents']?.schema
  const keys = agents?.kind === 'map' && agents.value.kind === 'object' ? agents.value.keys : {}

  it("has what an agent of a document has, but for what routes and policies say, and 'from' by references", () => {
    const missing = Object.keys(keys).filter((key) => !Object.hasOwn(rawAt(spec, 'properties'), key))
    assert.deepEqual(missing, ['from', 'path', 'policies'])
    assert.deepEqual(
      Object.keys(rawAt(spec, 'properties')).filter((key) => !Object.hasOwn(keys, key)),
      ['backendRefs'],
    )
  })

  it("says of each what the document's reference says", () => {
    for (const name of ['tools', 'prompts', 'resources', 'instructions', 'prefix', 'access']) {
      const description = textAt(spec, 'properties', name, 'description') ?? ''
      assert.ok(description.startsWith(keys[name]?.about ?? '?'), name)
    }
  })
})

describe('what policies are made of', () => {
  const working = (field: PolicyField, place: string): readonly string[] => {
    if (field.kind === 'section') return Object.entries(field.fields).flatMap(([name, one]) => working(one, `${place}.${name}`))
    if (field.kind === 'list') return working(field.of, place)
    return field.kind === 'done' && field.values === undefined ? [place] : []
  }
  const places = working(backendFields, '')

  it('is checked where mcplex does it', () => {
    assert.ok(places.length > 10)
    const policy = schemaAt(schemaOf(crds['agentgateway.dev_agentgatewaypolicies.yaml']), '.spec.backend')
    const backend = schemaAt(schemaOf(crds['agentgateway.dev_agentgatewaybackends.yaml']), '.spec.policies')
    for (const place of places)
      for (const schema of [policy, backend]) assert.ok(schema !== undefined && schemaAt(schema, place) !== undefined, place)
  })
})

describe('what the schemas alone take and refuse', () => {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'date-time': true, int32: true, int64: true } })
  const backend = ajv.compile(schemaOf(crds['gateway.kgateway.dev_backends.yaml']))
  const seed = readFileSync(new URL('../../../test/seed/backend.yaml', import.meta.url), 'utf8')

  it("is the post's Backend", () => {
    assert.ok(backend(parse(seed)), JSON.stringify(backend.errors))
  })

  for (const [what, from, to, place] of [
    ['a type that nobody knows', 'type: MCP', 'type: mcp', '/spec/type'],
    ['a port that is none', 'port: 80', 'port: 80800', '/spec/mcp/targets/0/static/port'],
    ['a protocol that is none', 'StreamableHTTP', 'HTTP', '/spec/mcp/targets/0/static/protocol'],
    ['a target without a name', 'name: math-mcp-server', 'title: math-mcp-server', '/spec/mcp/targets/0'],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.ok(seed.includes(from))
      assert.equal(backend(parse(seed.replace(from, to))), false)
      assert.equal(backend.errors?.[0]?.instancePath, place)
    })
  }
})

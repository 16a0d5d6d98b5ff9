import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseAllDocuments } from 'yaml'
import { digestOfDocument, parsePlain } from '../../config/config.ts'
import { defaultSettings, isRaw, type Raw, textAt } from '../objects/objects.ts'
import { translate } from './translate.ts'

const settings = defaultSettings('1.0.0')

/** All objects of the golden inputs, each input a world of its own. */
const worlds = globSync(join(import.meta.dirname, 'golden/**/*.in.yaml'))
  .sort()
  .map((path) => parseAllDocuments(readFileSync(path, 'utf8')).map((document): unknown => document.toJS()))

/** The paths of all that an object is made of. */
function pathsIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [path, ...inner.flatMap(([key, member]) => pathsIn(member, [...path, key]))]
}

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === first ? replaced(item, rest, by) : item))
  const members: Raw = isRaw(value) ? value : {}
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, key === first ? replaced(member, rest, by) : member]))
}

const junk = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('', '${X}', '__proto__', '../..', -1, 1e300, [null], { '': {} }))

const broken = fc.nat().chain((at) => {
  const world = worlds[at % worlds.length] ?? []
  return fc.array(fc.tuple(fc.nat(), fc.nat(), junk), { minLength: 1, maxLength: 3 }).map((changes) =>
    changes.reduce<readonly unknown[]>((objects, [which, where, by]) => {
      const index = which % Math.max(1, objects.length)
      const paths = pathsIn(objects[index])
      return objects.map((object, other) => (other === index ? replaced(object, paths[where % paths.length] ?? [], by) : object))
    }, world),
  )
})

test('whatever stands in an object, nothing is thrown, every document is valid, and the order of objects is of no matter', () => {
  fc.assert(
    fc.property(broken, (objects) => {
      const translation = translate(objects, settings)
      for (const { document } of translation.gateways) {
        if (document === undefined) continue
        const { problems } = parsePlain(document, { env: {}, readFile: () => '' })
        assert.deepEqual(
          problems.filter((problem) => problem.severity === 'error'),
          [],
        )
      }
      assert.deepEqual(translate([...objects].reverse(), settings), translation)
    }),
    { numRuns: 300 },
  )
})

test('any values at all may stand where objects do', () => {
  fc.assert(fc.property(fc.array(fc.jsonValue(), { maxLength: 4 }), (objects) => void translate(objects, settings)))
})

describe('what follows beside documents and statuses', () => {
  const named = (apiVersion: string, kind: string, name: string, rest: Raw): Raw => ({
    apiVersion,
    kind,
    metadata: { namespace: 'ns', name },
    ...rest,
  })
  const gateway = named('gateway.networking.k8s.io/v1', 'Gateway', 'gw', {
    spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
  })
  const target = (name: string, host: string): Raw => ({ name, static: { host, port: 80 } })
  const backend = named('gateway.kgateway.dev/v1alpha1', 'Backend', 'b', {
    spec: { type: 'MCP', mcp: { targets: [target('one', 'one.ns.svc'), target('two', 'two'), target('far', 'far.example')] } },
  })
  const services = ['one', 'two', 'three'].map((name) => named('v1', 'Service', name, { spec: { ports: [{ port: 80 }] } }))

  test('Services whose EndpointSlices count are those behind targets, and those of the proxies themselves', () => {
    const other = { ...gateway, metadata: { namespace: 'ns', name: 'other' }, spec: { gatewayClassName: 'elsewhere' } }
    const translation = translate([gateway, other, backend, ...services], settings)
    assert.deepEqual(translation.services, new Set(['ns/one', 'ns/two', 'ns/gw-peers']))
  })

  test('the digest of a plan is that of the very text in its Secret', () => {
    const [plan, ...others] = translate([gateway, backend, ...services], settings).gateways
    assert.deepEqual(others, [])
    const secret = plan?.objects.find(({ kind }) => kind === 'Secret')
    const text = Buffer.from(textAt(secret, 'data', 'config.json') ?? '', 'base64').toString()
    assert.deepEqual(JSON.parse(text), plan?.document)
    assert.equal(plan?.digest, digestOfDocument(text))
  })
})

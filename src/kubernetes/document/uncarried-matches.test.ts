import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePlain } from '../../config/config.ts'
import { compileRoutes, findRoute } from '../../gateway/route/route-table.ts'
import { assemble, attached, backend, documentOf, gateway, route, routeConditions } from '../translation/assemble-for-test.ts'

const wild = '{ name: v, type: RegularExpression, value: "1.*" }'
const to = (name: string): string => `backendRefs: [{ group: gateway.kgateway.dev, kind: Backend, name: ${name} }]`
const all = route(`${attached}, rules: [{ ${to('wide')} }]`, 'catch-all')

/** Where requests go by a document: a backend's name, `refused`, or nothing. */
function wayOf(rules: string) {
  const objects = gateway() + backend('wide') + backend('narrow') + all + route(`${attached}, rules: [${rules}]`, 'restricted')
  const assembled = assemble(objects)
  const { config, problems } = parsePlain(documentOf(assembled), { env: {}, readFile: () => '' })
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  )
  assert.ok(config)
  const table = compileRoutes(config, (_, { backends: [target] }) => target?.backend ?? 'refused')
  return {
    conditions: routeConditions(assembled, 'restricted'),
    way: (path: string, headers: Readonly<Record<string, string>> = {}, method = 'POST') =>
      findRoute(table, 'http', 'any', {
        path,
        method,
        query: '',
        host: 'any',
        listener: 'http',
        remote: '',
        header: (name) => headers[name],
      })?.target,
  }
}

const good = ['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs']
const partly = [...good, 'PartiallyInvalid=True UnsupportedValue']

test('one match that can not be carried takes no other path of its route to a wider one', () => {
  const { conditions, way } = wayOf(
    `{ matches: [{ path: { value: /team } }], ${to('narrow')} }, { matches: [{ path: { value: /x }, headers: [${wild}] }], ${to('narrow')} }`,
  )
  assert.deepEqual(conditions, partly)
  assert.deepEqual(
    ['/team', '/x', '/x/y', '/other'].map((path) => way(path)),
    ['ns/narrow', 'refused', 'refused', 'ns/wide'],
  )
})

test('what would be refused wins against what is equally specific in its route, and keeps its method and exact headers', () => {
  const { conditions, way } = wayOf(
    `{ matches: [{ path: { value: /x } }], ${to('wide')} }, { matches: [{ path: { value: /x }, headers: [${wild}] }], ${to('narrow')} }`,
  )
  assert.deepEqual([conditions, way('/x'), way('/x', { v: '1.2' })], [partly, 'refused', 'refused'])
  const narrow = wayOf(`{ matches: [{ path: { value: /x }, method: PUT, headers: [{ name: a, value: b }, ${wild}] }], ${to('narrow')} }`)
  assert.deepEqual(
    [narrow.way('/x', { a: 'b' }, 'PUT'), narrow.way('/x', { a: 'c' }, 'PUT'), narrow.way('/x', { a: 'b' })],
    ['refused', 'ns/wide', 'ns/wide'],
  )
})

test('a path that can not be carried takes nothing from other routes; a route with nothing else is not accepted', () => {
  const regex = '{ path: { type: RegularExpression, value: "/v[0-9]" } }'
  const alone = wayOf(`{ matches: [${regex}], ${to('narrow')} }`)
  assert.deepEqual([alone.conditions, alone.way('/v1')], [['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'], 'ns/wide'])
  const beside = wayOf(`{ matches: [${regex}, { path: { value: /x } }], ${to('narrow')} }`)
  assert.deepEqual([beside.conditions, beside.way('/v1'), beside.way('/x')], [partly, 'ns/wide', 'ns/narrow'])
})

test('a route of which nothing can be done is not accepted, and refuses all the same', () => {
  const { conditions, way } = wayOf(`{ matches: [{ path: { value: /x }, headers: [${wild}] }], ${to('narrow')} }`)
  assert.deepEqual([conditions, way('/x')], [['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'], 'refused'])
})

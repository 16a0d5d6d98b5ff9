import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assemble, backend, documentOf, gateway, route, routeConditions, toB } from './assemble-for-test.ts'
import { bytesWithin } from './document-bytes.ts'
import { escapeTexts } from './fragment-errors.ts'
import { listAt, textAt } from './raw.ts'

const open = gateway('{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }')

/** A route whose document takes this much. */
function wide(name: string, namespace: string, kilobytes: number): string {
  const headers = Array.from({ length: kilobytes }, (_, index) => `{ name: h${index}, value: "${'x'.repeat(960)}" }`).join(', ')
  return route(`parentRefs: [{ name: gw, namespace: ns }], rules: [{ matches: [{ headers: [${headers}] }], ${toB} }]`, name, namespace)
}

test('what takes too much of a document is left out, and keeps nobody else from being served', () => {
  const rows: readonly [routes: readonly [name: string, namespace: string, kilobytes: number][], left: readonly string[]][] = [
    [
      [
        ['a', 'evil', 400],
        ['b', 'evil', 400],
      ],
      [],
    ],
    // Of a namespace the youngest goes: of equal age, the last by name.
    [
      [
        ['a', 'evil', 400],
        ['b', 'evil', 400],
        ['c', 'evil', 400],
        ['r', 'ns', 50],
      ],
      ['evil/c'],
    ],
    // Of namespaces, the one that takes most, whoever came last.
    [
      [
        ['a', 'evil', 700],
        ['b', 'good', 200],
        ['c', 'good', 200],
      ],
      ['evil/a'],
    ],
    // The Gateway's own goes last, however much it takes.
    [
      [
        ['a', 'evil', 100],
        ['b', 'ns', 950],
      ],
      ['evil/a'],
    ],
    [
      [
        ['a', 'ns', 600],
        ['b', 'ns', 600],
      ],
      ['ns/b'],
    ],
  ]
  for (const [routes, left] of rows) {
    const text = routes.map(([name, namespace, kilobytes]) => wide(name, namespace, kilobytes)).join('')
    const namespaces = new Set(routes.map(([, namespace]) => namespace))
    const assembled = assemble(open + text + [...namespaces].map((namespace) => backend('b', namespace)).join(''))
    const document = documentOf(assembled)
    const served = listAt(document, 'routes').map((one) => textAt(one, 'name'))
    const all = routes.map(([name, namespace]) => `${namespace}/${name}`)
    assert.deepEqual(served.toSorted(), all.filter((name) => !left.includes(name)).toSorted())
    assert.ok(Buffer.byteLength(JSON.stringify(document)) <= 1_000_000)
    for (const [name, namespace] of routes) {
      const accepted = left.includes(`${namespace}/${name}`) ? 'Accepted=False UnsupportedValue' : 'Accepted=True Accepted'
      assert.equal(routeConditions(assembled, name)[0], accepted, name)
    }
  }
})

test('bytes are counted as the document has them, and no further than the limit', () => {
  const parts = [{ a: 'x$"\u0000é', b: [1, true, 'y', []], 'k"': {} }, 'text', 17, [], { a: { b: ['$$'] } }]
  for (const part of parts) {
    assert.equal(bytesWithin(part, 1_000_000), Buffer.byteLength(JSON.stringify(escapeTexts(part))))
  }
  const huge = Array.from({ length: 1000 }, () => 'x'.repeat(1000))
  const counted = bytesWithin(huge, 10_000)
  assert.ok(counted > 10_000 && counted < 20_000, String(counted))
})

test('what routes share is counted once', () => {
  const shared = backend('b').replace('one.example.com', `one.example.com, path: "/${'x'.repeat(200_000)}"`)
  const routes = Array.from({ length: 20 }, (_, index) => route(`parentRefs: [{ name: gw }], rules: [{ ${toB} }]`, `r${index}`))
  const served = listAt(documentOf(assemble(open + shared + routes.join(''))), 'routes')
  assert.equal(served.length, 20)
})

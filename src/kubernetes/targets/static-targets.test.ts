import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentgatewayBackend, mcpPort, only, service, slice, target, told, up } from '../backends/backends-for-test.ts'
import type { Raw } from '../objects/objects.ts'

test('what the status says of the Service behind a target', () => {
  const host = (name: string): Raw => ({ name: 'x', static: { host: name, port: 80 } })
  const ref: Raw = { name: 'x', static: { port: 80, backendRef: { name: 's' } } }
  const near = host('s.ns.svc.cluster.local')
  const fresh = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'other', namespace: 'ns' } }
  const missing = /^serves 1 server; spec\.mcp\.targets\[0\]\.static\.host: there is no Service ns\/s: create it, or name another$/
  const notReady = /^serves 1 server; spec\.mcp\.targets\[0\]\.static\.(?:host|backendRef): no pod of Service ns\/s is ready: look at/
  const clean = /^serves 1 server$/
  const table: readonly (readonly [what: string, target: Raw, objects: readonly Raw[], accepted: RegExp, resolved?: RegExp])[] = [
    ['files without Services', near, [], clean],
    ['no such Service', near, [service('ns/other')], missing],
    ['no such Service, by the short name', host('S.ns.svc'), [service('ns/other')], missing],
    ['no such Service, by a pod of it', host('s-0.s.ns.svc.cluster.local.'), [service('ns/other')], missing],
    ['another domain', host('s.ns.svc.example'), [service('ns/other')], clean],
    ['files without EndpointSlices', near, [service('ns/s')], clean],
    ['no EndpointSlice', near, [service('ns/s'), fresh], notReady],
    ['by name and namespace, as pods complete it', host('s.ns'), [service('ns/s'), fresh], notReady],
    ['name and namespace of none', host('s.com'), [service('ns/s'), fresh], clean],
    ['endpoints null', near, [service('ns/s'), slice('ns/s', null)], notReady],
    ['not ready', near, [service('ns/s'), slice('ns/s', [{ conditions: { ready: false } }])], notReady],
    ['ready', near, [service('ns/s'), slice('ns/s', [{ conditions: { ready: false } }, ...up])], clean],
    ['readiness not known', near, [service('ns/s'), slice('ns/s', [{ addresses: ['10.0.0.1'] }])], clean],
    ['the slice of another namespace', near, [service('ns/s'), slice('other/s', up)], notReady],
    ['no such port', near, [service('ns/s', [mcpPort('a', 81)])], /: Service ns\/s has no port 80: name one that it has \(81\)$/],
    ['a port of pods behind no address', near, [service('ns/s', [mcpPort('a', 81)], {}, { clusterIP: 'None' })], clean],
    [
      'a short host of no Service',
      host('s'),
      [service('ns/t')],
      /static\.host: s is looked up in the namespace of each Gateway: write <service>/,
    ],
    ['a short host in files without Services', host('s'), [], clean],
    ['backendRef', ref, [service('ns/s'), slice('ns/s', up)], clean],
    ['backendRef, not ready', ref, [service('ns/s'), fresh], notReady],
    ['backendRef, no such Service', ref, [], clean, /^ResolvedRefs=False BackendNotFound: .*backendRef: there is no Service ns\/s/],
    ['backendRef, of another namespace', ref, [service('other/s')], clean, /^ResolvedRefs=False BackendNotFound/],
  ]
  for (const [what, given, objects, accepted, resolved = /^ResolvedRefs=True/] of table) {
    const view = only([agentgatewayBackend([given]), ...objects])
    const conditions = told(view)
    assert.equal(Object.keys(view.fragment?.['servers'] ?? {}).length, 1, what)
    assert.match((conditions[0] ?? '').replace('Accepted=True Accepted: ', ''), accepted, what)
    assert.match(conditions[1] ?? '', resolved, what)
    assert.equal(conditions.length, 2, what)
  }
})

test('a backendRef leads to the Service by its name; a headless one to the port of its pods; a name for outside is refused', () => {
  const ref = agentgatewayBackend([{ name: 'x', static: { port: 80, path: '/p', backendRef: { name: 's' } } }])
  const http = (objects: readonly Raw[]): unknown => only([ref, ...objects]).fragment?.['servers']
  const host = 's.ns.svc.cluster.local'
  assert.deepEqual(http([service('ns/s')]), { x: { http: { host, port: 80, path: '/p' } } })
  const headless = service('ns/s', [{ port: 80, targetPort: 8000 }], {}, { clusterIP: 'None' })
  assert.deepEqual(http([headless]), { x: { http: { host, port: 8000, path: '/p' } } })
  const external = only([ref, service('ns/s', [], {}, { type: 'ExternalName', externalName: 'metadata.google.internal' })])
  assert.equal(external.fragment, undefined)
  assert.match(external.unusable ?? '', /backendRef: Service ns\/s is an ExternalName: write its host into a static target/)
})

test('a host that is only another name for another is refused', () => {
  for (const externalName of ['t.far.svc.cluster.local', 'example.com', '127.0.0.1']) {
    const alias = service('ns/s', [], {}, { type: 'ExternalName', externalName })
    for (const host of ['s', 's.ns', 's.ns.svc.cluster.local', 'S.ns.svc.']) {
      const view = only([agentgatewayBackend([target('x', { host }), target('y')]), alias])
      assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['y'], host)
      assert.match(told(view)[2] ?? '', /Unsupported: \S+\[0\]\.static\.host: Service ns\/s is an ExternalName: write its host/)
    }
  }
})

test("the proxy's own pod is no server, in none of its spellings", () => {
  const own = '127.0.0.1 127.1.2.3 2130706433 0x7f.1 ::1 0:0::1 ::ffff:127.0.0.1 0.0.0.0 0 :: localhost LOCALHOST. a.localhost ip6-loopback'
  for (const host of own.split(' ')) {
    const view = only([agentgatewayBackend([target('x', { host }), target('y')])])
    assert.deepEqual(Object.keys(view.fragment?.['servers'] ?? {}), ['y'], host)
    assert.match(
      told(view)[2] ?? '',
      /Invalid: \S+\[0\]\.static\.host: \S+ is the proxy's own pod: write the name of the server's Service$/,
    )
  }
  for (const host of ['10.0.0.1', '128.0.0.1', 'localhost.example', 'notlocalhost', '::2', 'fd00::1']) {
    assert.deepEqual(Object.keys(only([agentgatewayBackend([target('x', { host })])]).fragment?.['servers'] ?? {}), ['x'], host)
  }
})

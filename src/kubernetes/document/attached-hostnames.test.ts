import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { parsePlain } from '../../config/config.ts'
import { openGateway } from '../../gateway/open-for-test.ts'
import { openListener } from '../../listen/listen.ts'
import { listAt, valueAt } from '../objects/objects.ts'
import { assemble, documentOf, gateway, gatewayStatus, route, routeConditions } from '../translation/assemble-for-test.ts'

test('hostnames of routes and listeners meet as the Gateway API has it, whichever listeners a route attaches to', async (t) => {
  const listeners = [
    '{ name: any, port: 80, protocol: HTTP }',
    '{ name: exact, port: 80, protocol: HTTP, hostname: a.example.com }',
    '{ name: wild, port: 80, protocol: HTTP, hostname: "*.example.com" }',
  ].join(', ')
  const named = (hostnames: string, path: string, parents: string): string =>
    `parentRefs: [${parents}], ${hostnames}rules: [{ matches: [{ path: { value: ${path} } }] }]`
  const objects =
    gateway(listeners) +
    route(named('hostnames: [A.example.com, b.example.com, other.org], ', '/all', '{ name: gw }'), 'all') +
    route(named('hostnames: ["*.example.com"], ', '/wild', '{ name: gw }'), 'wild') +
    route(named('', '/free', '{ name: gw, sectionName: any }'), 'free') +
    route(named('hostnames: [b.example.com], ', '/two', '{ name: gw, sectionName: wild }, { name: gw, sectionName: exact }'), 'two')
  const assembled = assemble(objects)
  const two = listAt(documentOf(assembled), 'routes').find((one) => valueAt(one, 'name') === 'ns/two')
  assert.deepEqual([valueAt(two, 'listeners'), valueAt(two, 'hostnames')], [['wild'], ['b.example.com']])
  assert.deepEqual(
    routeConditions(assembled, 'two').filter((text) => text.startsWith('Accepted')),
    ['Accepted=True Accepted', 'Accepted=False NoMatchingListenerHostname'],
  )

  assert.deepEqual(
    listAt(gatewayStatus(assembled), 'listeners').map((one) => [valueAt(one, 'name'), valueAt(one, 'attachedRoutes')]),
    [
      ['any', 3],
      ['exact', 2],
      ['wild', 3],
    ],
  )

  const { config } = parsePlain(documentOf(assembled), { env: {}, readFile: () => '' })
  assert.ok(config)
  const open = await openGateway(config, openListener)
  t.after(() => open.close())
  // These routes have no backend: one that is met answers with 500.
  const rows: readonly [host: string, path: string, status: number][] = [
    ['a.example.com', '/all', 500],
    ['b.example.com', '/all', 500],
    ['other.org', '/all', 500],
    ['c.example.com', '/all', 404],
    ['elsewhere.org', '/all', 404],
    ['a.example.com', '/wild', 500],
    ['x.y.example.com', '/wild', 500],
    ['example.com', '/wild', 404],
    ['other.org', '/wild', 404],
    ['elsewhere.org', '/free', 500],
    ['a.example.com', '/free', 404],
    ['c.example.com', '/free', 404],
    ['b.example.com', '/two', 500],
    ['a.example.com', '/two', 404],
  ]
  for (const [host, path, status] of rows) assert.equal(await ask(open.port, host, path), status, `${host}${path}`)
})

function ask(port: number, host: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method: 'POST', headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asking.on('error', reject)
    asking.end()
  })
}

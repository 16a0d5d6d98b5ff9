import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { readObjectsIn } from '../objects/object-files.ts'
import { defaultSettings, listAt, nothingObserved, type Observations, refKey, valueAt } from '../objects/objects.ts'
import { translate } from '../translation/translation.ts'

const policy = (namespace = 'ns', place = 'secretRef: { name: keys }') => `---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: { name: keys, namespace: ${namespace} }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: r }]
  traffic: { apiKeyAuthentication: { ${place} } }
`
const world = (gateway = 'gw') => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: ns }
spec: { gatewayClassName: mcplex, listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { kinds: [{ kind: HTTPRoute }] } }] }
---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: { name: b, namespace: ns }
spec: { type: MCP, mcp: { targets: [{ name: one, static: { host: one.example.com, port: 80 } }] } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r, namespace: ns }
spec: { parentRefs: [{ name: ${gateway}, sectionName: http }], rules: [{ backendRefs: [{ group: gateway.kgateway.dev, kind: Backend, name: b }] }] }
`
const secret = (entries: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'ns' },
  data: Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, Buffer.from(text).toString('base64')])),
})

function translated(yaml: string, entries: Readonly<Record<string, string>> | undefined, observed: Observations = nothingObserved) {
  const { objects, problems } = readObjectsIn(yaml, 'test', 'ns')
  assert.deepEqual(problems, [])
  const all = entries === undefined ? objects : [...objects, secret(entries)]
  return translate(all, defaultSettings('1.0.0'), observed)
}

function keysOf(translation: ReturnType<typeof translated>): readonly unknown[] {
  return listAt(translation.gateways[0]?.document, 'routes').flatMap((route) =>
    listAt(valueAt(route, 'policies', 'authenticate'), 'apiKeys'),
  )
}

const ref = '/Secret/ns/keys'

describe('keys of a Secret', () => {
  it('become digests: the keys themselves are nowhere', () => {
    const translation = translated(`${world()}${policy()}`, { ci: 'k-123', ops: '{"key":"k-456","metadata":{"team":"ops"}}' })
    const digest = (key: string) => createHash('sha256').update(key).digest('hex')
    assert.deepEqual(keysOf(translation), [
      { id: 'ci', sha256: digest('k-123') },
      { id: 'ops', sha256: digest('k-456'), claims: { team: 'ops' } },
    ])
    assert.ok(!/k-123|k-456/.test(JSON.stringify(translation.gateways)))
  })

  it('are waited for while it is not known whether they are there', () => {
    const unknown = new Map([[ref, 'which could not be read yet']])
    const { gateways, statuses } = translated(`${world()}${policy()}`, undefined, { ...nothingObserved, unknown })
    assert.deepEqual(gateways[0]?.waitsFor?.map(refKey), [ref])
    const waiting = statuses.filter(({ waitsFor = [] }) => waitsFor.some((one) => refKey(one) === ref)).map(({ object }) => object.kind)
    assert.deepEqual(waiting.sort(), ['AgentgatewayPolicy', 'HTTPRoute'])
  })

  it('are not looked at for a route that is on no listener', () => {
    const detached = world().replace('sectionName: http', 'sectionName: other')
    const translation = translated(`${detached}${policy()}`, { ci: 'k-123' })
    assert.deepEqual(translation.wanted, [])
    assert.ok(!JSON.stringify(translation).includes(Buffer.from('k-123').toString('base64')))
  })

  const unusable: readonly (readonly [name: string, entry: string])[] = [
    ['nothing', ''],
    ['blanks', ' \n'],
    ['a line break at its end', 'k-123\n'],
    ['what no header carries', 'schlüssel'],
    ['JSON that is none', '{"key":'],
    ['neither key nor digest', '{"metadata":{}}'],
    ['both', `{"key":"k","keyHash":"sha256:${'0'.repeat(64)}"}`],
    ['a digest of another kind', '{"keyHash":"sha512:00"}'],
    ['a short digest', '{"keyHash":"sha256:00"}'],
    ['a member that is not known', '{"key":"k-123","allowedModels":["*"]}'],
    ['metadata that is a list', '{"key":"k-123","metadata":[]}'],
    ['metadata that is called as the key is', '{"key":"k-123","metadata":{"id":"ci"}}'],
    ['the key that another has', 'k-0'],
  ]
  for (const [name, entry] of unusable)
    it(`that are ${name} let nobody in`, () => {
      const translation = translated(`${world()}${policy()}`, { a: 'k-0', b: entry })
      assert.deepEqual(
        keysOf(translation).map((one) => valueAt(one, 'id')),
        ['a'],
      )
      const alone = translated(`${world()}${policy()}`, { b: entry === 'k-0' ? '' : entry })
      assert.deepEqual(keysOf(alone), [])
      assert.match(JSON.stringify(alone.gateways[0]?.document), /this route is closed/)
    })

  it('that are too many close', () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, `key-${index}`]))
    assert.match(JSON.stringify(translated(`${world()}${policy()}`, many).gateways[0]?.document), /this route is closed/)
  })
})

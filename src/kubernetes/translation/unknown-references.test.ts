import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readObjectsIn } from '../objects/object-files.ts'
import { type DesiredStatus, defaultSettings, listAt, nothingObserved, type ObjectRef, textAt } from '../objects/objects.ts'
import { backend, gateway, route } from './assemble-for-test.ts'
import { translate } from './translate.ts'

const keyed = `---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: { name: k }
spec: { mcp: { targets: [{ name: one, static: { host: one.example.com, port: 80, policies: { auth: { secretRef: { name: inline } } } } }] } }
---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: { name: p }
spec:
  targetRefs: [{ group: agentgateway.dev, kind: AgentgatewayBackend, name: k }]
  backend: { tls: { caCertificateRefs: [{ name: policy }] } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: side }
spec: { gatewayClassName: mcplex, listeners: [{ name: http, port: 80, protocol: HTTP }] }
`
const to = (parent: string, group: string, kind: string, name: string) =>
  `parentRefs: [{ name: ${parent} }], rules: [{ backendRefs: [{ group: ${group}, kind: ${kind}, name: ${name} }] }]`
const { objects } = readObjectsIn(
  gateway() +
    keyed +
    backend('b') +
    route(to('gw', 'agentgateway.dev', 'AgentgatewayBackend', 'k'), 'r') +
    route(to('side', 'gateway.kgateway.dev', 'Backend', 'b'), 's'),
  'test',
  'ns',
)
const settings = defaultSettings('1.0.0')

const namesOf = (refs: readonly ObjectRef[] = []) => [...new Set(refs.map(({ kind, name }) => `${kind} ${name}`))].sort()

test('a document and each status say which Secrets and ConfigMaps they depend on', () => {
  const { gateways, statuses } = translate(objects, settings)
  const both = ['ConfigMap policy', 'Secret inline']
  assert.deepEqual(Object.fromEntries(gateways.map(({ name, waitsFor }) => [name, namesOf(waitsFor)])), { gw: both, side: [] })
  const found = statuses.map((status) => [`${status.object.kind} ${status.object.metadata.name}`, namesOf(status.waitsFor)])
  assert.deepEqual(Object.fromEntries(found), {
    'Gateway gw': [],
    'Gateway side': [],
    'HTTPRoute r': both,
    'HTTPRoute s': [],
    'AgentgatewayBackend k': both,
    'Backend b': [],
    'AgentgatewayPolicy p': ['ConfigMap policy'],
  })
})

test('what is unknown closes what names it as what is missing does, and is called by its name', () => {
  const unknown = new Map([['/Secret/ns/inline', 'which nobody knows']])
  const { gateways, statuses } = translate(
    objects.filter(({ kind }) => kind !== 'AgentgatewayPolicy'),
    settings,
    { ...nothingObserved, unknown },
  )
  const status = statuses.find((one) => one.object.metadata.name === 'k') as Extract<DesiredStatus, { kind: 'whole' }>
  const messages = listAt(status.status, 'conditions').map((one) => `${textAt(one, 'reason')} ${textAt(one, 'message')}`)
  assert.match(messages.join('\n'), /auth\.secretRef names Secret ns\/inline, which nobody knows/)
  assert.match(messages.join('\n'), /^Pending /m)
  assert.doesNotMatch(messages.join('\n'), /inline, which does not exist/)
  const document = gateways.find(({ name }) => name === 'gw')?.document
  assert.match(JSON.stringify(listAt(document, 'routes')), /"refuse":\{"status":500/)
})

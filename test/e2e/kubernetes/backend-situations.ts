import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { backend, type Manifest, math, object, targets } from './manifests.ts'
import { home, postFile } from './scene.ts'
import { lost, open, type Situation, thePost, when } from './situation.ts'

const mathService = parseAllDocuments(readFileSync(postFile('math-server'), 'utf8'))
  .map((document): Manifest => document.toJS())
  .filter(({ kind }) => kind === 'Service')

const offering = object('v1', 'Service', 'offering', {
  metadata: { name: 'offering', namespace: home, labels: { mcp: 'yes' } },
  spec: { ports: [{ name: 'web', port: 8000, appProtocol: 'kgateway.dev/mcp' }] },
})

/** What befalls the Backend and the Services behind it. */
export const backendSituations: readonly Situation[] = [
  when('the Backend is removed', {
    remove: [backend()],
    says: [['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound', 'there is no Backend kgateway-system/mcp-backend: create it']],
    serves: lost,
  }),
  when('a Backend of another type', {
    apply: [backend({ type: 'Static', static: { hosts: [{ host: 'a.example', port: 80 }] }, mcp: null })],
    says: [['HTTPRoute mcp-route', 'ResolvedRefs False InvalidKind', 'has no MCP targets']],
    serves: lost,
  }),
  when('the address of a cloud that tells its machines their secrets', {
    apply: [targets(math, { name: 'bad', static: { host: '169.254.169.254', port: 80 } })],
    says: [
      ['Backend mcp-backend', 'Accepted True Accepted', 'serves 1 server'],
      ['Backend mcp-backend', 'PartiallyInvalid True Invalid', 'spec.mcp.targets[1].static.host'],
    ],
    serves: [open, 'mcp-route on http: / → mcp-backend (math)'],
  }),
  when('nothing but that address', {
    apply: [targets({ name: 'bad', static: { host: '169.254.169.254', port: 80 } })],
    says: [
      ['Backend mcp-backend', 'Accepted False Invalid', 'spec.mcp.targets[0].static.host'],
      ['HTTPRoute mcp-route', 'ResolvedRefs False Invalid', 'Backend kgateway-system/mcp-backend serves nothing'],
    ],
    serves: lost,
  }),
  when('a server that speaks SSE', {
    apply: [targets(math, { name: 'old', static: { ...math.static, protocol: 'SSE' } })],
    says: [['Backend mcp-backend', 'PartiallyInvalid True Unsupported', 'spec.mcp.targets[1].static.protocol: SSE is not supported yet']],
    serves: [open, 'mcp-route on http: / → mcp-backend (math)'],
  }),
  {
    name: 'a selector: nothing, a Service, nothing again',
    stages: [
      {
        apply: [targets({ name: 'all', selector: { services: { matchLabels: { mcp: 'yes' } } } })],
        says: [
          ['Backend mcp-backend', 'Accepted False Pending', 'spec.mcp.targets[0].selector selects no Service port'],
          ['HTTPRoute mcp-route', 'ResolvedRefs False Invalid'],
        ],
        serves: lost,
      },
      {
        apply: [offering],
        says: [
          ['Backend mcp-backend', 'Accepted True Accepted', 'serves 1 server'],
          ['HTTPRoute mcp-route', 'ResolvedRefs True ResolvedRefs'],
        ],
        serves: [open, 'mcp-route on http: / → mcp-backend (offering-web)'],
      },
      { remove: [offering], says: [['Backend mcp-backend', 'Accepted False Pending']], serves: lost },
    ],
  },
  when('the Service of a server is removed', {
    remove: mathService,
    says: [['Backend mcp-backend', 'Accepted True Accepted', 'there is no Service default/mcp-math-server: create it']],
    serves: thePost,
  }),
  when('a member that nobody knows', {
    apply: [backend({ mcp: { targets: [math], onlyFor: ['admins'] } })],
    says: [['Backend mcp-backend', 'Accepted False Unsupported', 'spec.mcp.onlyFor is not supported']],
    serves: lost,
  }),
  when('a Backend without targets', { apply: [backend({ mcp: { targets: [] } })], refused: /targets/, serves: thePost }),
  when('two targets of one name', { apply: [targets(math, math)], refused: /Duplicate value/, serves: thePost }),
]

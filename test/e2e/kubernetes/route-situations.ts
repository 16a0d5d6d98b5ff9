import {
  away,
  backend,
  backendAway,
  grant,
  http,
  listeners,
  type Manifest,
  parents,
  type Raw,
  route,
  rules,
  to,
  toBackend,
} from './manifests.ts'
import { home } from './scene.ts'
import { lost, open, type Situation, served, thePost, unsupported, when } from './situation.ts'

const routeAway = (parent: Raw): Manifest => ({
  ...parents({ namespace: home, ...parent }),
  metadata: { name: 'mcp-route', namespace: away },
})

/** What befalls the HTTPRoute, and one of another namespace. */
export const routeSituations: readonly Situation[] = [
  when('the HTTPRoute is removed', { remove: [route()], says: [['Gateway agentgateway', 'Accepted True Accepted']], serves: [open] }),
  when('a parent of another name', {
    apply: [parents({ name: 'agentgatewy' })],
    says: [['HTTPRoute mcp-route', 'no entry']],
    serves: [open],
  }),
  when('a sectionName that is no listener', {
    apply: [parents({ sectionName: 'https' })],
    says: [['HTTPRoute mcp-route', 'Accepted False NoMatchingParent', 'its listeners: http (port 8080)']],
    serves: [open],
  }),
  when('a port that is no listener', {
    apply: [parents({ port: 80 })],
    says: [['HTTPRoute mcp-route', 'Accepted False NoMatchingParent', 'has no listener with port 80']],
    serves: [open],
  }),
  when('a hostname that the listener has not', {
    apply: [listeners({ ...http, hostname: 'mcp.example.com' }), route({ hostnames: ['mcp.example.org'] })],
    says: [['HTTPRoute mcp-route', 'Accepted False NoMatchingListenerHostname', 'change spec.hostnames']],
    serves: ['http:8080 mcp.example.com'],
  }),
  when('a hostname of its own', {
    apply: [route({ hostnames: ['mcp.example.org'] })],
    says: [['HTTPRoute mcp-route', 'Accepted True Accepted']],
    serves: [open, 'mcp-route on http for mcp.example.org: / → mcp-backend (math-mcp-server, date-mcp-server)'],
  }),
  when('a backend of another name', {
    apply: [to({ ...toBackend, name: 'mcp-backnd' })],
    says: [
      ['HTTPRoute mcp-route', 'Accepted True Accepted'],
      ['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound', 'there is no Backend kgateway-system/mcp-backnd: create it'],
    ],
    serves: lost,
  }),
  when('a Service as backend', {
    apply: [to({ name: 'agentgateway', port: 8080 })],
    says: [['HTTPRoute mcp-route', 'ResolvedRefs False InvalidKind', 'put it as a target into a Backend of type MCP']],
    serves: lost,
  }),
  when('a backend of a kind that nobody serves', {
    apply: [to({ group: 'example.com', kind: 'Bucket', name: 'a' })],
    says: [['HTTPRoute mcp-route', 'ResolvedRefs False InvalidKind', 'Bucket (example.com) is no kind that mcplex serves']],
    serves: lost,
  }),
  {
    name: 'a backend of another namespace: granted, revoked, removed',
    stages: [
      {
        apply: [backendAway, to({ ...toBackend, namespace: away })],
        says: [['HTTPRoute mcp-route', 'ResolvedRefs False RefNotPermitted', `create a ReferenceGrant in namespace ${away}`]],
        serves: lost,
      },
      {
        apply: [grant],
        says: [['HTTPRoute mcp-route', 'ResolvedRefs True ResolvedRefs']],
        serves: [open, `mcp-route on http: / → ${away}/mcp-backend (math)`],
      },
      { remove: [grant], says: [['HTTPRoute mcp-route', 'ResolvedRefs False RefNotPermitted']], serves: lost },
      {
        remove: [backendAway],
        apply: [grant],
        says: [['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound', `there is no Backend ${away}/mcp-backend`]],
        serves: lost,
      },
    ],
  },
  {
    name: 'a route of another namespace: not taken, then taken',
    stages: [
      {
        apply: [routeAway({})],
        says: [[`HTTPRoute ${away}/mcp-route`, 'Accepted False NotAllowedByListeners']],
        serves: thePost,
      },
      {
        apply: [listeners({ ...http, allowedRoutes: { namespaces: { from: 'All' } } })],
        says: [
          [`HTTPRoute ${away}/mcp-route`, 'Accepted True Accepted'],
          [`HTTPRoute ${away}/mcp-route`, 'ResolvedRefs False BackendNotFound', `there is no Backend ${away}/mcp-backend`],
        ],
        serves: [open, served, `${away}/mcp-route on http: / → 500: this route leads to something that is not there`],
      },
    ],
  },
  when('several backends that share requests', {
    apply: [to({ ...toBackend, weight: 1 }, { ...toBackend, name: 'other', weight: 1 })],
    says: [['HTTPRoute mcp-route', 'Accepted False UnsupportedValue', 'shares requests among several backends']],
    serves: unsupported,
  }),
  when('a second backend of weight 0', {
    apply: [backend(), to(toBackend, { ...toBackend, name: 'other', weight: 0 })],
    says: [
      ['HTTPRoute mcp-route', 'Accepted True Accepted'],
      ['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound', 'spec.rules[0].backendRefs[1]'],
    ],
    serves: thePost,
  }),
  when('a rule without a backend', {
    apply: [rules({ matches: [{ path: { type: 'Exact', value: '/mcp' } }] })],
    says: [['HTTPRoute mcp-route', 'Accepted True Accepted', 'spec.rules[0] has no backend']],
    serves: [open, 'mcp-route on http: /mcp → 500: this route leads nowhere'],
  }),
  when('a filter', {
    apply: [rules({ filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }], backendRefs: [toBackend] })],
    says: [
      ['HTTPRoute mcp-route', 'Accepted False UnsupportedValue', 'spec.rules[0].filters[0]: RequestHeaderModifier is not applied yet'],
    ],
    serves: unsupported,
  }),
  when('a filter in one rule of two', {
    apply: [
      rules(
        {
          matches: [{ path: { value: '/a' } }],
          filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'a.example' } }],
          backendRefs: [toBackend],
        },
        { matches: [{ path: { value: '/b' } }], backendRefs: [toBackend] },
      ),
    ],
    says: [
      ['HTTPRoute mcp-route', 'Accepted True Accepted'],
      ['HTTPRoute mcp-route', 'PartiallyInvalid True UnsupportedValue', 'spec.rules[0].filters[0]: URLRewrite is not applied yet'],
    ],
    serves: [
      open,
      'mcp-route on http: /a → 500: this route asks for something that is not supported',
      'mcp-route on http: /b → mcp-backend (math-mcp-server, date-mcp-server)',
    ],
  }),
  when('a regular expression', {
    apply: [rules({ matches: [{ path: { type: 'RegularExpression', value: '/mcp.*' } }], backendRefs: [toBackend] })],
    says: [['HTTPRoute mcp-route', 'Accepted False UnsupportedValue', 'spec.rules[0].matches[0].path.type']],
    serves: [open],
  }),
  when('a timeout', {
    apply: [rules({ timeouts: { request: '5s' }, backendRefs: [toBackend] })],
    says: [['HTTPRoute mcp-route', 'Accepted True Accepted']],
    serves: [open, `${served} within 5s`],
  }),
  when('a timeout of each attempt', {
    apply: [rules({ timeouts: { request: '5s', backendRequest: '1s' }, backendRefs: [toBackend] })],
    says: [['HTTPRoute mcp-route', 'Accepted True Accepted', 'spec.rules[0].timeouts.backendRequest has no effect yet']],
    serves: [open, `${served} within 5s`],
  }),
]

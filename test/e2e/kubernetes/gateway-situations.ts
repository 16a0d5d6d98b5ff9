import { away, backend, gateway, http, listeners } from './manifests.ts'
import { foreignClass } from './scene.ts'
import { allIsWell, lost, open, type Situation, thePost, when } from './situation.ts'

const tls = { certificateRefs: [{ name: 'certificate' }] }

/** What befalls the Gateway and its class. */
export const gatewaySituations: readonly Situation[] = [
  when('the Gateway is of a class that is nowhere: what was served stays', {
    apply: [gateway({ gatewayClassName: 'nowhere' })],
    says: [['HTTPRoute mcp-route', 'no entry']],
    serves: thePost,
  }),
  when('the Gateway is given to another controller', {
    apply: [gateway({ gatewayClassName: foreignClass })],
    says: [['HTTPRoute mcp-route', 'no entry']],
    serves: 'none',
  }),
  when('the GatewayClass is removed: what was served stays', {
    remove: [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: { name: 'agentgateway' } }],
    says: allIsWell,
    serves: thePost,
  }),
  when('a listener of protocol HTTPS', {
    apply: [listeners({ ...http, protocol: 'HTTPS', tls })],
    says: [
      ['Gateway agentgateway', 'Accepted False ListenersNotValid', 'no listener can be served'],
      ['Gateway agentgateway', 'Programmed False Invalid'],
      ['Gateway agentgateway http', 'Accepted False UnsupportedProtocol', 'terminate TLS before mcplex'],
    ],
    serves: [],
  }),
  when('a listener of protocol HTTPS beside one that is served', {
    apply: [listeners(http, { name: 'https', port: 8443, protocol: 'HTTPS', tls })],
    says: [
      ['Gateway agentgateway', 'Accepted True ListenersNotValid', 'https (spec.listeners[1].protocol: HTTPS is not served yet'],
      ['Gateway agentgateway http', 'Accepted True Accepted'],
      ['Gateway agentgateway https', 'Accepted False UnsupportedProtocol'],
      ['Gateway agentgateway https', 'Programmed False Invalid'],
    ],
    serves: thePost,
  }),
  when('a certificate of another namespace, without a grant', {
    apply: [listeners(http, { name: 'https', port: 8443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'a', namespace: away }] } })],
    says: [['Gateway agentgateway https', 'ResolvedRefs False RefNotPermitted', `a ReferenceGrant in ${away}`]],
    serves: thePost,
  }),
  when('a listener of protocol TCP', {
    apply: [listeners({ ...http, protocol: 'TCP' })],
    says: [['Gateway agentgateway http', 'Accepted False UnsupportedProtocol', 'TCP is not served yet: write HTTP here']],
    serves: [],
  }),
  when('two listeners that are the same', {
    apply: [listeners(http, { ...http, name: 'again' })],
    refused: /Combination of port, protocol and hostname must be unique/,
    serves: thePost,
  }),
  when('two protocols on one port', {
    apply: [listeners(http, { ...http, name: 'https', protocol: 'HTTPS', tls })],
    says: [
      ['Gateway agentgateway', 'Accepted False ListenersNotValid'],
      ['Gateway agentgateway http', 'Conflicted True ProtocolConflict', 'take another port'],
      ['Gateway agentgateway https', 'Conflicted True ProtocolConflict'],
    ],
    serves: [],
  }),
  when('two hostnames on one port', {
    apply: [listeners(http, { ...http, name: 'named', hostname: 'mcp.example.com' })],
    says: [
      ['Gateway agentgateway named', 'Accepted True Accepted'],
      ['HTTPRoute mcp-route', 'Accepted True Accepted', 'attached to listeners http, named'],
    ],
    serves: [open, 'named:8080 mcp.example.com', 'mcp-route on http, named: / → mcp-backend (math-mcp-server, date-mcp-server)'],
  }),
  when('a port that the pods need themselves', {
    apply: [listeners({ ...http, port: 15_000 })],
    says: [['Gateway agentgateway http', 'Accepted False PortUnavailable', 'take another']],
    serves: [],
  }),
  when('routes from None', {
    apply: [listeners({ ...http, allowedRoutes: { namespaces: { from: 'None' } } })],
    refused: /supported values: "All", "Selector", "Same"/,
    serves: thePost,
  }),
  when('routes from namespaces that a selector takes, and this is none of them', {
    apply: [listeners({ ...http, allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } } } })],
    says: [
      ['Gateway agentgateway', 'Accepted True Accepted'],
      ['HTTPRoute mcp-route', 'Accepted False NotAllowedByListeners', 'listener http of Gateway kgateway-system/agentgateway'],
    ],
    serves: [open],
  }),
  when('routes of another kind only', {
    apply: [listeners({ ...http, allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } })],
    says: [
      ['Gateway agentgateway http', 'ResolvedRefs False InvalidRouteKinds', 'GRPCRoute'],
      ['HTTPRoute mcp-route', 'Accepted False NotAllowedByListeners'],
    ],
    serves: [open],
  }),
  when('an address of its own', {
    apply: [gateway({ addresses: [{ value: '192.0.2.7' }] })],
    says: [['Gateway agentgateway', 'Accepted False UnsupportedAddress', "spec.addresses[0].value: an address can't be chosen"]],
    serves: thePost,
  }),
  {
    name: 'a Gateway that is not accepted still follows its routes: what is to be closed is closed',
    stages: [
      {
        apply: [gateway({ addresses: [{ value: '192.0.2.7' }] })],
        says: [['Gateway agentgateway', 'Accepted False UnsupportedAddress']],
        serves: thePost,
      },
      { remove: [backend()], says: [['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound']], serves: lost },
    ],
  },
  when('parameters for the infrastructure', {
    apply: [gateway({ infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: 'a' } } })],
    says: [['Gateway agentgateway', 'Accepted False InvalidParameters', 'leave it out']],
    serves: thePost,
  }),
]

import { conditionColumn, define } from './definition.ts'
import { conditions, duration, group, kind, name, port, sectionName } from './fields.ts'
import { apiKeyAuthentication, authorization, jwtAuthentication } from './identity.ts'
import { anything, atLeastOne, atMostOne, exactlyOne, integer, labels, list, object, type Rule, text } from './schema.ts'
import { backendPolicies } from './server-policies.ts'

/** agentgateway's policy: what it holds for and the fields that mcplex does or will do are checked, the rest is kept as it is. */

const ofKinds = (rules: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(rules)
    .map(([name, kinds]) => `r.group == '${name}' && r.kind in [${kinds.map((one) => `'${one}'`).join(', ')}]`)
    .join(' || ')

const targetRules: readonly Rule[] = [
  {
    rule: `self.all(r, ${ofKinds({
      '': ['Service'],
      'agentgateway.dev': ['AgentgatewayBackend'],
      'gateway.networking.k8s.io': ['Gateway', 'HTTPRoute', 'GRPCRoute', 'ListenerSet'],
      'inference.networking.k8s.io': ['InferencePool'],
    })})`,
    message:
      'a policy is for a Gateway, HTTPRoute, Service, AgentgatewayBackend, GRPCRoute, ListenerSet or InferencePool, with the group of that kind; for a Backend of gateway.kgateway.dev name its HTTPRoute or Gateway',
  },
  {
    rule: 'self.all(one, self.all(other, one.kind == other.kind))',
    message: 'all targets of a policy are of one kind: write a policy for each kind',
  },
]

const section = {
  sectionName: sectionName('A part of it: a listener of a Gateway, a rule of an HTTPRoute, a target of a backend, a port of a Service.'),
  port: port('A port of a Gateway, instead of a listener. Not supported yet.'),
}
const sectionOrPort = atMostOne(['sectionName', 'port'], 'write sectionName or port, not both')

const targetRef = object(
  'One object.',
  { group: group('Its group.'), kind: kind('Its kind.'), name: name('Its name.'), ...section },
  { required: ['group', 'kind', 'name'], rules: [sectionOrPort] },
)

const targetSelector = object(
  'Objects of a kind, by labels.',
  { group: group('Their group.'), kind: kind('Their kind.'), matchLabels: labels('Labels that they must have.'), ...section },
  { required: ['group', 'kind', 'matchLabels'], rules: [sectionOrPort] },
)

const closed = 'Not enforced yet: what the policy holds for is closed.'

const localLimit = object(
  'One limit of each proxy for itself.',
  {
    requests: integer('Requests in each unit of time.', { min: 1 }),
    tokens: integer('Tokens of language models. Not served by mcplex.', { min: 1 }),
    unit: text('The unit of time.', { values: ['Seconds', 'Minutes', 'Hours'] }),
    burst: integer('How many more may come at once.'),
  },
  { required: ['unit'], rules: [exactlyOne(['requests', 'tokens'], 'write requests: how many in each unit')] },
)

const traffic = object('Rules for requests.', {
  phase: text('PostRouting, as if not written; PreRouting is not supported yet.', { values: ['PreRouting', 'PostRouting'] }),
  timeouts: object(
    'Time limits.',
    { request: duration('Of a whole request, such as 30s.') },
    { rules: [atLeastOne(['request'], 'write request')] },
  ),
  jwtAuthentication,
  apiKeyAuthentication,
  basicAuthentication: anything(`Requests must show a name and a password. ${closed}`),
  authorization: authorization('Who may call at all, over the caller and the request: others see nothing and may call nothing.'),
  rateLimit: object(`How many requests pass. ${closed}`, { local: list('Limits.', localLimit, { min: 1, max: 16 }) }),
  cors: anything('Which pages of browsers may ask. Not supported yet; without it none may.'),
})

const parentRef = object(
  'An object that the policy holds for.',
  {
    group: group('Its group.'),
    kind: kind('Its kind.'),
    namespace: text('Its namespace.', { max: 63 }),
    name: name('Its name.'),
    sectionName: sectionName('The part of it.'),
    port: port('The port of it.'),
  },
  { required: ['name'], isClosed: true },
)

const ancestor = object(
  'What has become of it at one object, said by one controller.',
  {
    ancestorRef: parentRef,
    controllerName: text('Who says so.'),
    conditions: conditions('What is so there.'),
  },
  { required: ['ancestorRef', 'controllerName'], isClosed: true },
)

/** The rule for both ways to name targets. */
const forTargets = (condition: string, holds: string, message: string): readonly Rule[] =>
  ['targetRefs', 'targetSelectors'].map((list) => ({
    rule: `!(${condition}) || !has(self.${list}) || self.${list}.all(t, ${holds})`,
    message,
  }))

export const agentgatewayPolicy = define({
  group: 'agentgateway.dev',
  kind: 'AgentgatewayPolicy',
  description: 'Rules for traffic. What mcplex can not enforce yet and would let more through by leaving it out closes what it holds for.',
  shortNames: ['agpol'],
  categories: ['agentgateway', 'mcplex'],
  columns: [
    conditionColumn('Accepted', '.status.ancestors[*]', 'Whether all of it is in force.'),
    conditionColumn('Attached', '.status.ancestors[*]', 'Whether its targets are there.'),
  ],
  spec: object(
    'What holds, and for what.',
    {
      targetRefs: list('What it holds for, by name, in its own namespace.', targetRef, { min: 1, max: 16, rules: targetRules }),
      targetSelectors: list('What it holds for, by labels, in its own namespace.', targetSelector, { min: 1, max: 16, rules: targetRules }),
      strategy: anything('How it goes together with other policies. Not supported yet.'),
      traffic,
      frontend: anything('Rules for connections of clients.'),
      backend: object('How servers are reached.', backendPolicies),
    },
    {
      rules: [
        exactlyOne(['targetRefs', 'targetSelectors'], 'write either targetRefs or targetSelectors: what the policy is for'),
        atLeastOne(['traffic', 'frontend', 'backend'], 'write at least one of traffic, frontend, backend: what the policy does'),
        ...forTargets(
          'has(self.traffic)',
          "t.kind in ['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'InferencePool']",
          'traffic is for a Gateway, ListenerSet, HTTPRoute, GRPCRoute or InferencePool; a Service or backend takes backend',
        ),
        ...forTargets('has(self.frontend)', "t.kind == 'Gateway'", 'frontend is for a Gateway'),
        ...forTargets(
          'has(self.backend) && has(self.backend.mcp)',
          "t.kind != 'Service' && (t.kind != 'AgentgatewayBackend' || !has(t.sectionName))",
          'backend.mcp is for a whole AgentgatewayBackend, a route or a Gateway, not for a Service or one target',
        ),
        ...forTargets(
          'true',
          "t.kind != 'Service' || !has(t.sectionName) || t.sectionName.matches('^[1-9][0-9]{0,4}$')",
          'the sectionName of a Service is the number of a port, such as "80"',
        ),
      ],
    },
  ),
  status: object('What has become of it.', {
    ancestors: list('What has become of it at each object that it holds for.', ancestor, { max: 16 }),
  }),
})

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { temporaryDirectory } from './gateway.ts'
import { startCluster } from './setup/cluster.ts'
import { kubebox } from './setup/kubebox.ts'
import { need } from './setup/part.ts'

type Spec = Readonly<Record<string, unknown>>

const kgateway = { apiVersion: 'gateway.kgateway.dev/v1alpha1', kind: 'Backend' } as const
const agentgateway = { apiVersion: 'agentgateway.dev/v1alpha1', kind: 'AgentgatewayBackend' } as const
const policy = { apiVersion: 'agentgateway.dev/v1alpha1', kind: 'AgentgatewayPolicy' } as const
const agent = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent' } as const
const parameters = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'GatewayParameters' } as const

const math = { host: 'math.tools.svc', port: 80 }
const mcp = (...targets: readonly object[]) => ({ targets })
const target = (more: object) => mcp({ name: 'math', ...more })
const gateway = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' }
const route = { ...gateway, kind: 'HTTPRoute' }
const service = { group: '', kind: 'Service', name: 'math' }
const ofBackend = { group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'tools' }
const timeouts = { traffic: { timeouts: { request: '30s' } } }
const expressions = { policy: { matchExpressions: ['mcp.tool.name == "add"'] } }
const selects = (more: object) => ({ backendRefs: [{ name: 'tools' }], ...more })

/** Objects as people have them, many for what mcplex doesn't serve: they must be kept for whoever does. */
const accepted: readonly (readonly [string, { readonly kind: string }, Spec])[] = [
  [
    'a Backend with a Service found by labels',
    kgateway,
    { type: 'MCP', mcp: target({ selector: { services: { matchLabels: { app: 'mcp' } } } }) },
  ],
  ['… in the other spelling', kgateway, { type: 'MCP', mcp: target({ selector: { service: { matchLabels: { app: 'mcp' } } } }) }],
  ['a Backend of another type', kgateway, { type: 'Static', static: { hosts: [{ host: 'example.com', port: 80 }] } }],
  ['a Backend for any host', kgateway, { type: 'DynamicForwardProxy', dynamicForwardProxy: {} }],
  ['a Backend with a field of later days', kgateway, { type: 'MCP', mcp: { ...target({ static: math }), color: 'red' } }],
  [
    'an AgentgatewayBackend with all that mcp has',
    agentgateway,
    {
      mcp: {
        targets: [
          { name: 'a', static: { host: 'example.com', port: 443, path: '/mcp', protocol: 'SSE', policies: { tls: {} } } },
          { name: 'b', static: { backendRef: { name: 'math' }, port: 80 } },
          { name: 'c', selector: { namespaces: { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'] }] } } },
        ],
        prefixMode: 'Never',
        sessionRouting: 'Stateless',
        failureMode: 'FailClosed',
      },
      policies: { auth: { secretRef: { name: 'key' } }, mcp: { authorization: { action: 'Deny', ...expressions } } },
    },
  ],
  [
    'an AgentgatewayBackend for a language model',
    agentgateway,
    { ai: { provider: { openai: { model: 'm' } } }, policies: { ai: { x: 1 } } },
  ],
  ['an AgentgatewayBackend with a fixed host', agentgateway, { static: { host: 'example.com', port: 443 } }],
  ['a policy with a timeout', policy, { targetRefs: [gateway], ...timeouts }],
  [
    'a policy for a listener and a route rule by labels',
    policy,
    {
      targetSelectors: [{ group: gateway.group, kind: 'HTTPRoute', matchLabels: { team: 'a' }, sectionName: 'first' }],
      ...timeouts,
    },
  ],
  [
    'a policy with JSON Web Tokens',
    policy,
    {
      targetRefs: [route],
      traffic: {
        jwtAuthentication: {
          mode: 'Strict',
          providers: [
            { issuer: 'https://id.example', audiences: ['a'], jwks: { remote: { url: 'https://id.example/certs', cacheDuration: '5m' } } },
          ],
          mcp: { provider: 'Keycloak', resourceMetadata: { scopesSupported: ['mcp'] } },
        },
      },
    },
  ],
  [
    'a policy with keys and limits',
    policy,
    {
      targetRefs: [gateway],
      traffic: {
        apiKeyAuthentication: { secretRef: { name: 'keys' } },
        rateLimit: { local: [{ requests: 5, unit: 'Minutes', burst: 2 }], global: { domain: 'd' } },
      },
    },
  ],
  ['a policy with rules for tools', policy, { targetRefs: [ofBackend], backend: { mcp: { authorization: expressions } } }],
  [
    'a policy for one target of a backend',
    policy,
    { targetRefs: [{ ...ofBackend, sectionName: 'math' }], backend: { tls: { sni: 'math.example' } } },
  ],
  [
    'a policy for a port of a Service',
    policy,
    {
      targetRefs: [{ ...service, sectionName: '80' }],
      backend: {
        tcp: { connectTimeout: '5s', keepalive: { retries: 3 } },
        http: { version: 'HTTP2', requestTimeout: '1m30s' },
        tls: { caCertificateRefs: [{ name: 'ca', kind: 'Secret' }], mtlsCertificateRef: [{ name: 'own' }], alpnProtocols: ['h2'] },
        auth: {
          key: 'k',
          location: { header: { name: 'X-Key' } },
          credentials: [{ location: { header: { name: 'X' } }, secretRef: { name: 's', key: 'k' } }],
        },
      },
    },
  ],
  [
    'a policy for connections',
    policy,
    { targetRefs: [{ ...gateway, port: 8080 }], frontend: { tcp: { keepalive: { time: '60s' } }, accessLog: {} } },
  ],
  [
    'an Agent',
    agent,
    selects({ tools: ['math_add', 'date_*', '!math_drop_*', '*'], prompts: ['!*'], resources: ['docs+*', 'docs+file:///{path}'] }),
  ],
  [
    'an Agent of several backends',
    agent,
    {
      backendRefs: [{ name: 'a' }, { group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name: 'b', namespace: 'other' }],
      prefix: 'Always',
      instructions: 'You add.',
    },
  ],
  ['an Agent that selects a tool in another script', agent, selects({ tools: ['math_сложить', 'math_naïve'] })],
  ['parameters that say nothing', parameters, {}],
  [
    'parameters with all that they have',
    parameters,
    {
      replicas: 0,
      resources: {
        requests: { cpu: '500m', memory: '1e3', 'example.com/card': 1 },
        limits: { cpu: 1, memory: '1Gi', 'example.com/card': '1' },
      },
      nodeSelector: { 'kubernetes.io/arch': 'arm64', fast: '' },
      tolerations: [
        { operator: 'Exists' },
        { key: 'example.com/dedicated', value: 'mcp', effect: 'NoExecute', tolerationSeconds: -1 },
        { key: 'a', operator: 'Equal', effect: 'NoSchedule' },
      ],
      priorityClassName: 'high',
      service: { type: 'LoadBalancer', loadBalancerClass: 'example.com/internal', externalTrafficPolicy: 'Local' },
      logLevel: 'debug',
    },
  ],
  [
    'parameters for as many pods as there is load',
    parameters,
    { autoscaling: { minReplicas: 3, maxReplicas: 3 }, service: { type: 'NodePort' } },
  ],
]

const refused: readonly (readonly [string, { readonly kind: string }, Spec, RegExp])[] = [
  ['type MCP without mcp', kgateway, { type: 'MCP' }, /spec: .*type MCP needs mcp\.targets/],
  ['mcp without type MCP', kgateway, { type: 'Static', static: {}, mcp: target({ static: math }) }, /spec: .*mcp goes with type: MCP/],
  ['no type', kgateway, { mcp: target({ static: math }) }, /spec\.type: Required value/],
  [
    'a type in lower case',
    kgateway,
    { type: 'mcp', mcp: target({ static: math }) },
    /spec\.type: Unsupported value: "mcp": supported values: .*"MCP"/,
  ],
  ['no target', kgateway, { type: 'MCP', mcp: mcp() }, /spec\.mcp\.targets.* at least 1 items/],
  [
    'a target that is nowhere',
    kgateway,
    { type: 'MCP', mcp: target({}) },
    /spec\.mcp\.targets\[0\]: .*write either static, with host and port, or selector/,
  ],
  ['a target that is in two places', kgateway, { type: 'MCP', mcp: target({ static: math, selector: {} }) }, /write either static/],
  [
    'two targets of one name',
    kgateway,
    { type: 'MCP', mcp: mcp({ name: 'a', static: math }, { name: 'a', static: math }) },
    /targets\[1\]: Duplicate value/,
  ],
  [
    'a target with a capital',
    kgateway,
    { type: 'MCP', mcp: mcp({ name: 'Math', static: math }) },
    /targets\[0\]\.name: .*use lower-case letters/,
  ],
  ['a target without a port', kgateway, { type: 'MCP', mcp: target({ static: { host: 'math' } }) }, /static\.port: Required value/],
  [
    'both spellings of a selector',
    kgateway,
    { type: 'MCP', mcp: target({ selector: { service: {}, services: {} } }) },
    /services and service are one field/,
  ],
  [
    'a requirement without values',
    kgateway,
    {
      type: 'MCP',
      mcp: target({ selector: { services: { matchExpressions: [{ key: 'a', operator: 'In' }] } } }),
    },
    /In and NotIn need values/,
  ],

  ['nothing', agentgateway, {}, /write exactly one of mcp, ai, static/],
  ['two types', agentgateway, { mcp: target({ static: math }), static: {} }, /write exactly one of mcp, ai, static/],
  ['neither host nor Service', agentgateway, { mcp: target({ static: { port: 80 } }) }, /write either host, or backendRef/],
  [
    'policies beside a Service',
    agentgateway,
    { mcp: target({ static: { backendRef: { name: 'a' }, port: 80, policies: {} } }) },
    /AgentgatewayPolicy that targets it/,
  ],
  ['rules for MCP without MCP', agentgateway, { static: {}, policies: { mcp: {} } }, /policies\.mcp goes with mcp/],
  ['an empty selector', agentgateway, { mcp: target({ selector: {} }) }, /write services with the labels/],
  [
    'two credentials',
    agentgateway,
    { mcp: target({ static: math }), policies: { auth: { key: 'a', passthrough: {} } } },
    /spec\.policies\.auth: .*write at most one of key, secretRef/,
  ],
  [
    'a time without a unit',
    agentgateway,
    { mcp: target({ static: math }), policies: { http: { requestTimeout: '5' } } },
    /such as 500ms, 5s or 1h30m/,
  ],
  [
    'authorities for nothing',
    agentgateway,
    {
      mcp: target({ static: math }),
      policies: { tls: { insecureSkipVerify: 'All', caCertificateRefs: [{ name: 'a' }] } },
    },
    /leave one of them out/,
  ],

  ['no target', policy, { ...timeouts }, /write either targetRefs or targetSelectors/],
  [
    'both ways to name targets',
    policy,
    {
      targetRefs: [gateway],
      targetSelectors: [{ group: gateway.group, kind: 'Gateway', matchLabels: {} }],
      ...timeouts,
    },
    /write either targetRefs or targetSelectors/,
  ],
  ['a policy that does nothing', policy, { targetRefs: [gateway] }, /write at least one of traffic, frontend, backend/],
  [
    'a policy for a Backend of kgateway',
    policy,
    {
      targetRefs: [{ group: 'gateway.kgateway.dev', kind: 'Backend', name: 'tools' }],
      backend: {},
    },
    /for a Backend of gateway\.kgateway\.dev name its HTTPRoute or Gateway/,
  ],
  ['a kind with another group', policy, { targetRefs: [{ ...gateway, group: '' }], ...timeouts }, /with the group of that kind/],
  ['targets of two kinds', policy, { targetRefs: [gateway, route], ...timeouts }, /write a policy for each kind/],
  ['traffic to a Service', policy, { targetRefs: [service], ...timeouts }, /a Service or backend takes backend/],
  ['connections of a route', policy, { targetRefs: [route], frontend: {} }, /frontend is for a Gateway/],
  [
    'rules for MCP at a Service',
    policy,
    { targetRefs: [service], backend: { mcp: {} } },
    /backend\.mcp is for a whole AgentgatewayBackend/,
  ],
  [
    'a port by its name',
    policy,
    { targetRefs: [{ ...service, sectionName: 'http' }], backend: {} },
    /the sectionName of a Service is the number of a port/,
  ],
  [
    'a section and a port',
    policy,
    { targetRefs: [{ ...gateway, sectionName: 'a', port: 1 }], frontend: {} },
    /write sectionName or port, not both/,
  ],
  [
    'an empty limit',
    policy,
    { targetRefs: [gateway], traffic: { rateLimit: { local: [{ unit: 'Minutes' }] } } },
    /write requests: how many/,
  ],

  ['an Agent of nothing', agent, { backendRefs: [] }, /spec\.backendRefs.* at least 1 items/],
  ['an Agent of a Service', agent, { backendRefs: [{ kind: 'Service', name: 'math' }] }, /an Agent selects from a Backend/],
  ['a kind with another group', agent, { backendRefs: [{ group: 'mcplex.dev', name: 'tools' }] }, /leave group out, or correct it/],
  [
    'a tool without its server',
    agent,
    selects({ tools: ['math_add', 'add'] }),
    /spec\.tools\[1\]: .*write <server>_<name>, such as math_add/,
  ],
  ['a server with a capital', agent, selects({ tools: ['Math_add'] }), /the server is in lower case/],
  ['a blank', agent, selects({ tools: ['math_a b'] }), /write <server>_<name>/],
  ['a blank that is no ASCII', agent, selects({ tools: ['math_a\u00a0b'] }), /write <server>_<name>/],
  ['a mark that nobody sees', agent, selects({ tools: ['math_a\ufeff'] }), /write <server>_<name>/],
  ['a control character', agent, selects({ tools: ['math_a\u0007'] }), /write <server>_<name>/],
  ['a prompt without its server', agent, selects({ prompts: ['hello'] }), /spec\.prompts\[0\]: .*write <server>_<name>/],
  ['a resource without its server', agent, selects({ resources: ['file:///a'] }), /spec\.resources\[0\]: .*write <server>\+<uri>/],
  ['a prefix in lower case', agent, selects({ prefix: 'always' }), /supported values: "Always", "Conditional", "Never"/],

  [
    'a number of pods and an autoscaler',
    parameters,
    { replicas: 1, autoscaling: { maxReplicas: 2 } },
    /write either replicas or autoscaling/,
  ],
  ['less than no pods', parameters, { replicas: -1 }, /spec\.replicas.* greater than or equal to 0/],
  ['an autoscaler without an end', parameters, { autoscaling: { minReplicas: 1 } }, /spec\.autoscaling\.maxReplicas: Required value/],
  ['an autoscaler of no pods', parameters, { autoscaling: { minReplicas: 0, maxReplicas: 2 } }, /minReplicas.* greater than or equal to 1/],
  ['more at least than at most', parameters, { autoscaling: { minReplicas: 3, maxReplicas: 2 } }, /minReplicas is more than maxReplicas/],
  [
    'a quantity that is none',
    parameters,
    { resources: { requests: { cpu: '1 core' } } },
    /requests\[?\.?cpu\]?: .*write a quantity such as 500m, 2 or 512Mi/,
  ],
  ['a quantity below zero', parameters, { resources: { limits: { memory: '-1Gi' } } }, /write a quantity such as 500m/],
  ['a number below zero', parameters, { resources: { limits: { memory: -1 } } }, /write a quantity such as 500m/],
  [
    'a request beyond its limit',
    parameters,
    { resources: { requests: { memory: '1Gi' }, limits: { memory: '1000M' } } },
    /no more can be requested than the limit of the same name/,
  ],
  ['a label of nodes that can be none', parameters, { nodeSelector: { 'a b': 'c' } }, /write names of labels/],
  ['a value of a label that can be none', parameters, { nodeSelector: { a: 'b c' } }, /use letters, digits, inner hyphens/],
  ['a toleration of nothing', parameters, { tolerations: [{ value: 'a' }] }, /write key, or operator: Exists for any/],
  ['a toleration of a key that can be none', parameters, { tolerations: [{ key: 'a b' }] }, /write the key of a taint/],
  [
    'a value where any is tolerated',
    parameters,
    { tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] },
    /operator Exists takes no value/,
  ],
  [
    'a time for what is not ended',
    parameters,
    { tolerations: [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 }] },
    /tolerationSeconds goes with effect: NoExecute/,
  ],
  ['a priority with a capital', parameters, { priorityClassName: 'High' }, /write the name of a PriorityClass/],
  [
    'a Service of another type',
    parameters,
    { service: { type: 'ExternalName' } },
    /supported values: "LoadBalancer", "NodePort", "ClusterIP"/,
  ],
  [
    'a load balancer of no load balancer',
    parameters,
    { service: { type: 'NodePort', loadBalancerClass: 'a/b' } },
    /loadBalancerClass goes with type: LoadBalancer/,
  ],
  [
    'traffic from outside to what is inside',
    parameters,
    { service: { type: 'ClusterIP', externalTrafficPolicy: 'Local' } },
    /externalTrafficPolicy goes with type: LoadBalancer or NodePort/,
  ],
  ['a log level that nobody knows', parameters, { logLevel: 'trace' }, /supported values: "debug", "info", "warn", "error"/],
]

test('an API server takes what is good, and says what is to be done about the rest', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box)
  await cluster.installOurs()
  const directory = await temporaryDirectory(t)
  /** What was said of each, in one call. */
  const outcomes = async (rows: readonly (readonly [string, { readonly kind: string }, Spec, ...unknown[]])[]) => {
    const file = join(directory, `${rows.length}.yaml`)
    const objects = rows.map(([, kind, spec], at) => ({ ...kind, metadata: { name: `row-${at}`, namespace: 'default' }, spec }))
    await writeFile(file, objects.map((object) => stringify(object)).join('---\n'))
    const { stdout, stderr } = await cluster.run('create', '--dry-run=server', '-f', file)
    const created = new Set(stdout.match(/(?<=\/)row-\d+(?= created)/g))
    const errors = new Map([...stderr.matchAll(/"(row-\d+)" is invalid: (.*)/g)].map(([, row, error]) => [row, error]))
    return rows.map((_, at) => (created.has(`row-${at}`) ? 'created' : (errors.get(`row-${at}`) ?? 'nothing was said')))
  }

  await t.test('definitions are established without a complaint', async () => {
    for (const crd of await cluster.list('crd')) {
      const { conditions } = crd['status'] as { readonly conditions: readonly { readonly type: string; readonly status: string }[] }
      assert.ok(
        conditions.every(({ type, status }) => status === (type === 'NonStructuralSchema' ? 'False' : 'True')),
        crd.metadata.name,
      )
    }
  })

  const taken = await outcomes(accepted)
  for (const [at, [what, { kind }]] of accepted.entries()) {
    await t.test(`${kind} is taken: ${what}`, () => assert.equal(taken[at], 'created'))
  }
  const said = await outcomes(refused)
  for (const [at, [what, { kind }, , message]] of refused.entries()) {
    await t.test(`${kind} is refused: ${what}`, () => assert.match(said[at] ?? '', message))
  }

  await t.test('fields that are not known stay', async () => {
    const spec = { type: 'MCP', mcp: { ...target({ static: { ...math, weight: 3 } }), color: 'red' } }
    await cluster.apply(stringify({ ...kgateway, metadata: { name: 'odd', namespace: 'default' }, spec }))
    assert.deepEqual((await cluster.get('backend', 'odd', 'default'))?.['spec'], spec)
  })

  await t.test('kubectl get shows what the status says', async () => {
    const condition = (type: string) => ({ type, status: 'True', reason: type, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' })
    const conditions = [condition('Accepted'), condition('Attached')]
    const rows: readonly (readonly [{ readonly kind: string }, Spec, Spec, RegExp])[] = [
      [
        kgateway,
        { type: 'MCP', mcp: target({ static: math }) },
        { conditions, mcp: { targets: 2, ready: 1, tools: 3 } },
        /^shown +MCP +True +2 +1 +3 +\d+s$/m,
      ],
      [
        agentgateway,
        { mcp: target({ static: math }) },
        { conditions, mcp: { targets: 2, ready: 1, tools: 3 } },
        /^shown +True +2 +1 +3 +\d+s$/m,
      ],
      [
        policy,
        { targetRefs: [gateway], ...timeouts },
        { ancestors: [{ ancestorRef: gateway, controllerName: 'mcplex.dev/controller', conditions }] },
        /^shown +True +True +\d+s$/m,
      ],
      [agent, selects({ tools: ['*'] }), { conditions, servers: 2, tools: 3 }, /^shown +True +2 +3 +\d+s$/m],
    ]
    for (const [kind, spec, status, line] of rows) {
      await cluster.apply(stringify({ ...kind, metadata: { name: 'shown', namespace: 'default' }, spec }))
      await cluster.must('patch', kind.kind, 'shown', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }))
      assert.match(await cluster.must('get', kind.kind), line)
    }
    assert.match(await cluster.must('get', 'mcplex'), /agent\.mcplex\.dev\/shown/)
  })
})

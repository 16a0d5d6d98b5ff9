import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBackends } from '../backends/backends.ts'
import { fragmentErrors } from '../fragments/fragments.ts'
import { createWorld, defaultSettings, listAt, nothingObserved, type Raw, textAt } from '../objects/objects.ts'
import type { Policies } from '../policies/policies.ts'
import { readUses } from '../targets/targets.ts'
import type { AgentView } from './agent-view.ts'
import { readAgents } from './read-agents.ts'

const policies: Policies = {
  at: () => ({ closed: undefined, requestTimeout: undefined, server: {} }),
  policed: new Set(),
  statuses: [],
  wanted: [],
}
const object = (apiVersion: string, kind: string, key: string, spec: unknown): Raw => {
  const [namespace, name] = key.split('/')
  return { apiVersion, kind, metadata: { name, namespace }, spec }
}
const targets = (names: readonly string[]): Raw => ({ targets: names.map((name) => ({ name, static: { host: 'x.example', port: 80 } })) })
const backend = (key: string, ...names: readonly string[]): Raw =>
  object('gateway.kgateway.dev/v1alpha1', 'Backend', key, { type: 'MCP', mcp: targets(names) })
const agentgatewayBackend = (key: string, ...names: readonly string[]): Raw =>
  object('agentgateway.dev/v1alpha1', 'AgentgatewayBackend', key, { mcp: targets(names) })
const agent = (spec: unknown): Raw => object('mcplex.dev/v1alpha1', 'Agent', 'team/sre', spec)
const grant = (namespace: string, to: Raw, from: Raw = { group: 'mcplex.dev', kind: 'Agent', namespace: 'team' }): Raw => ({
  apiVersion: 'gateway.networking.k8s.io/v1beta1',
  kind: 'ReferenceGrant',
  metadata: { name: 'g', namespace },
  spec: { from: [from], to: [to] },
})

function only(objects: readonly unknown[]): AgentView {
  const world = createWorld(objects)
  const backends = readBackends(world, readUses(world, [], defaultSettings('1.0.0')), policies, nothingObserved)
  const [view, ...more] = readAgents(world, backends).all
  assert.ok(view)
  assert.equal(more.length, 0)
  assert.equal(view.fragment === undefined, view.unusable !== undefined)
  if (view.fragment !== undefined) {
    const fragments = Object.fromEntries(view.backends.map(({ name, fragment }) => [name, fragment]))
    assert.deepEqual(fragmentErrors({ backends: fragments, agents: { [view.name]: view.fragment } }), [])
  }
  return view
}

/** `Type=Status Reason: message`, a line each. */
function told({ status }: AgentView): readonly string[] {
  return listAt(status.kind === 'whole' ? status.status : {}, 'conditions').map(
    (one) => `${textAt(one, 'type')}=${textAt(one, 'status')} ${textAt(one, 'reason')}: ${textAt(one, 'message')}`,
  )
}

test('an Agent becomes an agent, with nothing that was not written', () => {
  const view = only([
    agent({
      backendRefs: [{ name: 'ops' }, { kind: 'AgentgatewayBackend', name: 'ops' }],
      tools: ['github_*', '!github_drop_$$x'],
      resources: [],
      prompts: ['docs_*'],
      instructions: 'Cost: ${PRICE}',
      prefix: 'Never',
    }),
    backend('team/ops', 'github', 'docs'),
    agentgatewayBackend('team/ops', 'notes'),
  ])
  assert.equal(
    JSON.stringify(view.fragment),
    JSON.stringify({
      from: ['team/ops', 'team/ops.agentgatewaybackend'],
      tools: ['github_*', '!github_drop_$$x'],
      prompts: ['docs_*'],
      resources: [],
      instructions: 'Cost: ${PRICE}',
      prefix: 'never',
    }),
  )
  assert.equal(view.name, 'team/sre')
  assert.deepEqual(told(view), ['Accepted=True Accepted: serves 3 servers', 'ResolvedRefs=True ResolvedRefs: all references are resolved'])
  assert.equal(view.status.kind === 'whole' && view.status.status['servers'], 3)
})

test('an Agent that selects nothing is served, and says so', () => {
  const view = only([agent({ backendRefs: [{ name: 'ops' }] }), backend('team/ops', 'x')])
  assert.deepEqual(view.fragment, { from: ['team/ops'] })
  assert.match(told(view)[0] ?? '', /^Accepted=True Accepted: serves 1 server; it selects nothing, so its clients see nothing: write tools/)
})

test('what is wrong with an Agent as a whole keeps it from being served', () => {
  const ref = [{ name: 'ops' }]
  const table: readonly (readonly [spec: unknown, condition: RegExp])[] = [
    [{ backendRefs: ref, access: 'jwt.sub ==' }, /Invalid: spec\.access: .* is not a CEL expression/],
    [{ backendRefs: ref, policies: {} }, /Unsupported: spec\.policies is not supported/],
    [{ backendRefs: ref, access: 7, tools: ['no'] }, /Invalid: spec\.access .*; spec\.tools\[0\]/],
    [{ backendRefs: ref, access: '' }, /Invalid: spec\.access/],
    [{ backendRefs: [] }, /Invalid: spec\.backendRefs is empty/],
    [undefined, /Invalid: spec\.backendRefs is empty/],
    [{ backendRefs: ref, tools: ['x_ok', 'Bad'] }, /Invalid: spec\.tools\[1\]: `Bad` is not a pattern: write <server>_<name>/],
    [{ backendRefs: ref, resources: ['docs'] }, /Invalid: spec\.resources\[0\]: `docs` is not a pattern: write <server>\+<uri>/],
    [{ backendRefs: ref, tools: 'x_*' }, /Invalid: spec\.tools is not a list of texts/],
    [{ backendRefs: ref, tools: ['x_*', 7] }, /Invalid: spec\.tools is not a list of texts/],
    [{ backendRefs: ref, instructions: ['x'] }, /Invalid: spec\.instructions is not a text/],
    [{ backendRefs: ref, prefix: 'always' }, /Invalid: spec\.prefix is not one of Always, Conditional, Never/],
    [{ backendRefs: [...ref, ...ref] }, /Invalid: spec\.backendRefs\[1\]: backend `team\/ops` is there already: name it once/],
    [
      { backendRefs: [{ name: 'gone' }, ...ref, { name: 'more' }] },
      /Invalid: spec\.backendRefs\[2\]: backends `team\/ops` and `team\/more` both have a server `x`/,
    ],
  ]
  for (const [spec, condition] of table) {
    const view = only([agent(spec), backend('team/ops', 'x'), backend('team/more', 'x')])
    assert.equal(view.fragment, undefined, String(condition))
    assert.match(told(view)[0] ?? '', condition)
    assert.match(told(view)[0] ?? '', /^Accepted=False /)
    assert.ok(told(view)[0]?.endsWith(`: ${view.unusable}`))
    assert.equal(view.status.kind === 'whole' && view.status.status['servers'], 0)
  }
})

test('an exclusion that keeps out less than it says keeps the Agent from being served', () => {
  const named = (name: string): Raw => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const math = (namespace: string): Raw => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'math', namespace },
    spec: { ports: [{ port: 80, name: 'mcp', appProtocol: 'agentgateway.dev/mcp' }] },
  })
  const selecting = object('gateway.kgateway.dev/v1alpha1', 'Backend', 'team/ops', {
    type: 'MCP',
    mcp: { targets: [{ name: 'found', selector: { namespaces: {} } }, ...(targets(['date'])['targets'] as readonly Raw[])] },
  })
  const world = [selecting, ...['team', 'x', 'y'].map(named)]
  const table: readonly (readonly [wishes: Raw, services: readonly string[], condition: RegExp | undefined])[] = [
    [{ tools: ['*', '!math-mcp_drop'] }, ['x'], undefined],
    [
      { tools: ['*', '!math-mcp_drop'] },
      ['x', 'y'],
      /spec\.tools\[1\]: `!math-mcp_drop` .*no backend has a server math-mcp: name one .*\(date, math-mcp-x, math-mcp-y\)/,
    ],
    [{ tools: ['*', '!math-mcp_drop'] }, [], /no backend has a server math-mcp: .*\(date\)/],
    [{ tools: ['*', '!math-mcp_drop'] }, ['team', 'x'], /spec\.tools\[1\]: .*leaves out math-mcp-x, .*write `!math-mcp-x_drop` beside it/],
    [{ tools: ['*', '!math-mcp_drop', '!math-mcp-x_drop'] }, ['team', 'x'], undefined],
    [{ tools: ['*', '!math-mcp_drop', '!math-mcp-x_*'] }, ['team', 'x'], /leaves out math-mcp-x/],
    [{ tools: ['*', '!math-mcp*_drop'] }, ['team', 'x'], undefined],
    [{ tools: ['*', '!math-mcp*_drop'] }, ['x', 'y'], undefined],
    [{ tools: ['*', '!m*mcp_drop'] }, ['x', 'y'], /no backend has a server m\*mcp/],
    [{ tools: ['*', '!*_drop'] }, ['x', 'y'], undefined],
    [{ tools: ['*', '!ma*'] }, ['x', 'y'], undefined],
    [{ tools: ['math-mcp_*', 'gone_*'] }, ['x', 'y'], undefined],
    [{ prompts: ['*', '!gone_a'] }, ['x'], /spec\.prompts\[1\]: `!gone_a`/],
    [{ resources: ['*', '!math-mcp+file:///a_b'] }, ['x'], undefined],
    [{ resources: ['*', '!gone+file:///a_b'] }, ['x'], /spec\.resources\[1\]: .*no backend has a server gone/],
    // What is named by itself is known to the author; what a star lets in need not be.
    [{ tools: ['date_*', '!math-mcp_drop'] }, [], undefined],
    [{ tools: ['math-mcp_*', '!math-mcp_drop'] }, ['team', 'x'], undefined],
    [{ tools: ['math-mcp_*', 'math-mcp-x_*', '!math-mcp_drop'] }, ['team', 'x'], undefined],
    [{ tools: ['math-mcp_*', 'd*_*', '!math-mcp_drop'] }, ['team', 'x'], undefined],
    [{ tools: ['math*x_*', '!math-mcp_drop'] }, ['team', 'x'], /leaves out math-mcp-x/],
    [{ tools: ['da*_list', '!gone_drop'] }, [], /no backend has a server gone/],
    [{ tools: ['other*', '!gone_drop'] }, [], undefined],
    [{ prompts: ['*'], tools: ['date_*', '!gone_drop'] }, [], undefined],
  ]
  for (const [wishes, services, condition] of table) {
    const view = only([agent({ backendRefs: [{ name: 'ops' }], ...wishes }), ...world, ...services.map(math)])
    const what = `${JSON.stringify(wishes)} with ${services.join()}`
    if (condition === undefined) assert.equal(view.unusable, undefined, what)
    else assert.match(view.unusable ?? '', condition, what)
  }
})

test('a server that is named and not there is told of, with the backend that may have it first', () => {
  const refs = [{ name: 'ops' }, { name: 'gone' }]
  const view = only([agent({ backendRefs: refs, tools: ['x_*', 'date_now', '!date_drop', 'm*_y'] }), backend('team/ops', 'x')])
  const remedy =
    'One that is missing may have it: spec.backendRefs[1]: there is no Backend team/gone: create it, or name another. ' +
    'Otherwise name one that is there (x), or remove it'
  assert.equal(
    told(view)[0],
    'Accepted=True Accepted: serves 1 server; ' +
      `spec.tools[1]: \`date_now\` selects nothing, as no backend has a server date. ${remedy}; ` +
      `spec.tools[2]: \`!date_drop\` takes nothing away, as no backend has a server date. ${remedy}`,
  )
  const closed = only([agent({ backendRefs: refs, tools: ['*', '!date_drop'] }), backend('team/ops', 'x')])
  assert.equal(closed.unusable, `spec.tools[1]: \`!date_drop\` takes nothing away, as no backend has a server date. ${remedy}`)
  const alone = only([agent({ backendRefs: [{ name: 'ops' }], tools: ['date_now'] }), backend('team/ops', 'x')])
  assert.match(told(alone)[0] ?? '', /no backend has a server date: name one that is there \(x\), or remove it$/)
})

test('a backendRef that leads nowhere is left out and named; names of tools stay as they are with all', () => {
  const to = { group: 'gateway.kgateway.dev', kind: 'Backend', name: 'far' }
  const far = { name: 'far', namespace: 'other' }
  const cluster = [
    backend('team/ops', 'x'),
    backend('other/far', 'y'),
    object('gateway.kgateway.dev/v1alpha1', 'Backend', 'team/static', { type: 'Static' }),
    backend('team/broken', '-'),
  ]
  const table: readonly (readonly [ref: unknown, objects: readonly Raw[], reason: string, message: RegExp])[] = [
    [{ name: 'none' }, [], 'BackendNotFound', /\[0\]: there is no Backend team\/none: create it, or name another$/],
    [{ kind: 'AgentgatewayBackend', name: 'ops' }, [], 'BackendNotFound', /there is no AgentgatewayBackend team\/ops/],
    [{ name: 'static' }, [], 'InvalidKind', /Backend team\/static is not for MCP/],
    [{ kind: 'Service', name: 'ops' }, [], 'InvalidKind', /not from a Service \(no group\)$/],
    [{ kind: 'Backend', group: 'agentgateway.dev', name: 'ops' }, [], 'InvalidKind', /not from a Backend \(agentgateway\.dev\)$/],
    [far, [], 'RefNotPermitted', /Backend other\/far may not be named from here: create a ReferenceGrant in other from Agent/],
    [{ ...far, name: 'none' }, [], 'RefNotPermitted', /Backend other\/none may not be named/],
    [far, [grant('team', to)], 'RefNotPermitted', /may not be named/],
    [far, [grant('other', { ...to, name: 'else' })], 'RefNotPermitted', /may not be named/],
    [
      far,
      [grant('other', to, { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'team' })],
      'RefNotPermitted',
      /may not be named/,
    ],
    [{ name: 'broken' }, [], 'Invalid', /Backend team\/broken serves nothing: spec\.mcp\.targets\[0\]\.name: `-` is not a name/],
    [{ name: 'ops', weight: 1 }, [], 'Unsupported', /spec\.backendRefs\[0\]\.weight is not supported/],
    [{}, [], 'Invalid', /\[0\]\.name is missing/],
    [7, [], 'Invalid', /\[0\]\.name is missing/],
  ]
  for (const [ref, objects, reason, message] of table) {
    const view = only([agent({ backendRefs: [ref, { name: 'ops' }], tools: ['x_*'] }), ...cluster, ...objects])
    assert.deepEqual(view.fragment, { from: ['team/ops'], tools: ['x_*'], prefix: 'always' }, String(message))
    const [, resolved, partly] = told(view)
    assert.match(partly ?? '', new RegExp(`^PartiallyInvalid=True ${reason}: `))
    assert.match(partly ?? '', message)
    const isReference = ['BackendNotFound', 'InvalidKind', 'RefNotPermitted'].includes(reason)
    assert.match(resolved ?? '', isReference ? new RegExp(`^ResolvedRefs=False ${reason}: `) : /^ResolvedRefs=True/)
    const alone = only([agent({ backendRefs: [ref], tools: ['x_*'] }), ...cluster, ...objects])
    assert.match(alone.unusable ?? '', message)
    assert.deepEqual(alone.backends, [])
  }
  const granted = only([agent({ backendRefs: [far], tools: ['y_*'] }), ...cluster, grant('other', to)])
  assert.deepEqual(granted.fragment, { from: ['other/far'], tools: ['y_*'] })
})

test('whatever stands in an Agent, something is said and nothing thrown', () => {
  const odd: readonly unknown[] = [null, 0, '', 'x', [], [null], {}, { a: 1 }, true, { __proto__: { a: 1 } }, { constructor: 1 }]
  for (const value of odd) {
    only([agent(value)])
    only([agent({ backendRefs: value, tools: value })])
    only([
      agent({ backendRefs: [value, { name: value, kind: value, group: value, namespace: value }], prefix: value, instructions: value }),
    ])
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Raw } from '../objects/objects.ts'
import {
  absent,
  backendRef,
  basic,
  inForce,
  messageOf,
  policy,
  read,
  refused,
  route,
  statusesOf,
  target,
  tcp,
  timeout,
} from './policies-for-test.ts'

describe('what a policy asks for and does not get', () => {
  const table: readonly (readonly [name: string, policy: Raw, ancestor: string, conditions: readonly string[], message: RegExp])[] = [
    [
      'harmless fields',
      policy('p', [target('Gateway', 'gw')], { traffic: { timeouts: { request: '5s' }, cors: {} }, frontend: { accessLog: {} } }),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Unsupported'],
      /^spec\.traffic\.cors .*; spec\.frontend\.accessLog /,
    ],
    [
      'settings of servers for a route',
      policy('p', [target('HTTPRoute', 'r')], { backend: { tls: {} } }),
      'Gateway a gw',
      refused,
      /spec\.backend\.tls is not enforced yet: target the AgentgatewayBackend or the Service/,
    ],
    [
      'a time limit of servers for a route',
      policy('p', [target('HTTPRoute', 'r')], tcp),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Unsupported'],
      /^spec\.backend\.tcp\.connectTimeout has no effect here/,
    ],
    [
      'traffic for a Service',
      policy('p', [target('Service', 'math')], timeout),
      'Service a math',
      ['Accepted=False:Invalid', 'Attached=False:Pending'],
      /spec\.traffic is out of place: .*nothing passes there: Service a\/math/,
    ],
    [
      'one port of a Service',
      policy('p', [target('Service', 'math', { sectionName: '80' })], tcp),
      'Service a math 80',
      refused,
      /spec\.targetRefs\[0\]\.sectionName: .*leave it out/,
    ],
    [
      'to come before others of routes',
      policy('p', [target('Gateway', 'gw')], { ...timeout, strategy: { inheritance: 'Override' } }),
      'Gateway a gw',
      refused,
      /spec\.strategy\.inheritance is not enforced yet/,
    ],
    [
      'a missing Secret',
      policy('p', [target('AgentgatewayBackend', 'b')], { backend: { auth: { secretRef: { name: 's' } } } }),
      'AgentgatewayBackend a b',
      ['Accepted=False:Invalid', 'Attached=False:Pending'],
      /Secret a\/s, which does not exist: create it; .*AgentgatewayBackend a\/b/,
    ],
    ['a missing Gateway', policy('p', [target('Gateway', 'none')], basic), 'Gateway a none', absent, /there is no Gateway a\/none/],
    [
      'a missing listener',
      policy('p', [target('Gateway', 'gw', { sectionName: 'x' })], timeout),
      'Gateway a gw x',
      absent,
      /no listener x/,
    ],
    ['a missing rule', policy('p', [target('HTTPRoute', 'r', { sectionName: 'x' })], timeout), 'Gateway a gw', absent, /no rule x/],
    [
      'a missing target',
      policy('p', [target('AgentgatewayBackend', 'b', { sectionName: 'x' })], tcp),
      'AgentgatewayBackend a b x',
      absent,
      /no target x/,
    ],
    [
      'a rule that is there and one that is missing',
      policy(
        'p',
        ['first', 'x'].map((sectionName) => target('HTTPRoute', 'r', { sectionName })),
        timeout,
      ),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:TargetNotFound'],
      /^spec\.targetRefs\[1\]: HTTPRoute a\/r has no rule x: correct the name$/,
    ],
    [
      'a rule that is closed and one that is missing',
      policy(
        'p',
        ['x', 'first'].map((sectionName) => target('HTTPRoute', 'r', { sectionName })),
        basic,
      ),
      'Gateway a gw',
      refused,
      /spec\.traffic\.basicAuthentication .*no rule x.*nothing passes there: rule first of HTTPRoute a\/r$/,
    ],
    [
      'targets without a name or labels',
      policy('p', [target('Gateway', 'gw'), { group: '', kind: 'Service' }], {
        ...timeout,
        targetSelectors: [
          { group: '', kind: 'Service' },
          { group: '', kind: 'Service', matchLabels: 7 },
        ],
      }),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Invalid'],
      /^spec\.targetRefs\[1\]\.name is missing: .*spec\.targetSelectors\[0\]\.matchLabels is missing: .*\[1\]\.matchLabels is not a map/,
    ],
    [
      'a kind that is not served',
      policy('p', [target('Gateway', 'gw'), target('GRPCRoute', 'g')], timeout),
      'Gateway a gw',
      [...inForce, 'PartiallyInvalid=True:Unsupported'],
      /^spec\.targetRefs\[1\] is of a kind that mcplex doesn't serve/,
    ],
  ]
  for (const [name, one, ancestor, conditions, message] of table) {
    it(name, () => {
      const policies = read(one)
      assert.deepEqual(statusesOf(policies), { p: { [ancestor]: conditions } })
      assert.match(messageOf(policies, 'p', conditions.length === 3 ? 'PartiallyInvalid' : 'Accepted'), message)
    })
  }

  it('one port of a Service: no port of it is called', () => {
    const policies = read(policy('p', [target('Service', 'math', { sectionName: '80' })], tcp))
    assert.match(policies.at({ kind: 'service', key: 'a/math' }).closed ?? '', /spec\.targetRefs\[0\]\.sectionName/)
  })

  it('a route that does not attach', () => {
    const lost = route('lost', ['gw'], backendRef('b'))
    const spec = { ...(lost['spec'] as Raw), parentRefs: [{ name: 'gw', sectionName: 'none' }] }
    const policies = read({ ...lost, spec }, policy('p', [target('HTTPRoute', 'lost')], timeout))
    assert.deepEqual(statusesOf(policies), { p: { 'Gateway a gw': ['Accepted=True:Accepted', 'Attached=False:Pending'] } })
  })
})

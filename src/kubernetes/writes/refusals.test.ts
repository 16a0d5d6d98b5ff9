import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalSentence } from './refusals.ts'

const secret = { group: '', kind: 'Secret', namespace: 'shop', name: 's' }
const role = { group: 'rbac.authorization.k8s.io', kind: 'Role', namespace: 'shop', name: 'r' }
const bind = 'kubectl create rolebinding mcplex-provisioner -n shop --clusterrole mcplex-provisioner'

test('each refusal has its remedy', () => {
  const rows = [
    [
      secret,
      403,
      'secrets "s" is forbidden: User "system:serviceaccount:mcplex-system:mcplex" cannot get resource "secrets" in API group "" in the namespace "shop"',
      false,
      `mcplex may not write Secret shop/s: ${bind} --serviceaccount mcplex-system:mcplex`,
    ],
    [
      role,
      403,
      'roles "r" is forbidden: user "system:serviceaccount:a:b" (groups=["x"]) is attempting to grant RBAC permissions not currently held',
      false,
      `mcplex may not write Role shop/r: ${bind} --serviceaccount a:b`,
    ],
    [
      secret,
      403,
      'secrets "s" is forbidden: User "jo" cannot patch resource',
      false,
      `mcplex may not write Secret shop/s: ${bind} --user jo`,
    ],
    [secret, 403, 'exceeded quota: q', false, 'Secret shop/s is refused by the API server: exceeded quota: q'],
    [secret, 422, 'is invalid', false, 'Secret shop/s is refused by the API server: is invalid'],
    [
      secret,
      422,
      'type: Invalid value: "a": field is immutable',
      true,
      'Secret shop/s is refused by the API server: type: Invalid value: "a": field is immutable. ' +
        'Delete that Secret: mcplex makes it anew with new keys, which ends all sessions',
    ],
    [
      role,
      422,
      'is invalid',
      true,
      'Role shop/r is refused by the API server: is invalid. Where somebody has changed that field, take it back',
    ],
    [
      secret,
      422,
      'data: Too long: may not be more than 1048576 bytes',
      true,
      'Secret shop/s is refused by the API server: data: Too long: may not be more than 1048576 bytes',
    ],
    [secret, 400, undefined, false, 'Secret shop/s is refused by the API server: status 400'],
  ] as const
  for (const [ref, status, message, isThere, expected] of rows) {
    assert.equal(
      refusalSentence({ ref, isThere, parameters: [] }, { kind: 'reply', status, body: { message }, retryAfterMs: undefined }),
      expected,
    )
  }
})

test('what is there is to be deleted only where all that is wrong with it stays as it was made', () => {
  const deployment = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'd' }
  const parameters = ['GatewayParameters shop/large', 'GatewayParameters mcplex-system/usual']
  const immutable = 'Invalid value: {}: field is immutable'
  const wrong = 'Invalid value: "gpus": must be a standard resource for containers'
  const [anew, corrected, takenBack] = [
    'Delete that Deployment: mcplex makes it anew',
    'Correct what GatewayParameters shop/large or GatewayParameters mcplex-system/usual says of it',
    'Where somebody has changed that field, take it back',
  ]
  const rows: readonly (readonly [
    causes: readonly string[],
    isThere: boolean,
    parameters: readonly string[],
    remedy: string | undefined,
  ])[] = [
    [[immutable], true, [], anew],
    [[immutable], true, parameters, anew],
    [['Invalid value: "a": may not change once set'], true, [], anew],
    [['Invalid value: {}: cannot change roleRef'], true, [], anew],
    [[immutable, wrong], true, parameters, corrected],
    [[wrong], true, parameters, corrected],
    [[wrong], false, parameters, corrected],
    [[wrong], true, [], takenBack],
    [[wrong], false, [], undefined],
  ]
  for (const [causes, isThere, named, remedy] of rows) {
    const details = { causes: causes.map((message) => ({ reason: 'FieldValueInvalid', message, field: 'spec.x' })) }
    const message = `Deployment.apps "d" is invalid: ${causes.map((cause) => `spec.x: ${cause}`).join(', ')}`
    const reply = { kind: 'reply', status: 422, body: { message, details }, retryAfterMs: undefined } as const
    const said = `Deployment shop/d is refused by the API server: ${message}`
    assert.equal(
      refusalSentence({ ref: deployment, isThere, parameters: named }, reply),
      remedy === undefined ? said : `${said}. ${remedy}`,
    )
  }
})

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
      'is invalid',
      true,
      'Secret shop/s is refused by the API server: is invalid. Delete that Secret: mcplex makes it anew with new keys, which ends all sessions',
    ],
    [role, 422, 'is invalid', true, 'Role shop/r is refused by the API server: is invalid. Delete that Role: mcplex makes it anew'],
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
    assert.equal(refusalSentence(ref, { kind: 'reply', status, body: { message }, retryAfterMs: undefined }, isThere), expected)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openFakeApi } from '../../kube/fake-api-for-test.ts'
import { ownAccount } from './own-account.ts'

test('the controller is who the API server says, or nobody known', async (t) => {
  const username = 'system:serviceaccount:platform:gateways'
  const { client, arrivals } = await openFakeApi(t, [
    (arrival) => arrival.reply(201, { status: { userInfo: { username } } }),
    (arrival) => arrival.reply(403, { message: 'may not', status: { userInfo: { username } } }),
    (arrival) => arrival.reply(201, { status: {} }),
    (arrival) => arrival.reset(),
  ])
  assert.equal(await ownAccount(client), username)
  assert.deepEqual(
    [arrivals[0]?.method, arrivals[0]?.path, JSON.parse(arrivals[0]?.body ?? '')],
    ['POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }],
  )
  for (const _ of ['refused', 'empty', 'broken']) assert.equal(await ownAccount(client), undefined)
})

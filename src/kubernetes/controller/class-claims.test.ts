import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../observe/observe.ts'
import type { KubeObject } from '../objects/objects.ts'
import { createClassClaims } from './class-claims.ts'

const apiVersion = 'gateway.networking.k8s.io/v1'
const us = 'mcplex.dev/controller'
const classOf = (controllerName: string, name = 'agentgateway'): KubeObject => ({
  apiVersion,
  kind: 'GatewayClass',
  metadata: { name },
  spec: { controllerName },
})
const gateway = (...statusManagers: readonly string[]): KubeObject => ({
  apiVersion,
  kind: 'Gateway',
  metadata: { name: 'gw', namespace: 'ns', statusManagers },
  spec: { gatewayClassName: 'agentgateway' },
})

test('a class is free where no other controller has a claim to it', () => {
  const theirs = 'agentgateway.dev/agentgateway'
  const rows: readonly [what: string, looks: readonly (readonly KubeObject[])[], isFree: boolean, said: RegExp | undefined][] = [
    ['absent', [[]], true, undefined],
    ['ours', [[classOf(us)]], true, undefined],
    ["another's", [[classOf(theirs)]], false, /GatewayClass agentgateway belongs to agentgateway.dev\/agentgateway: its Gateways are not/],
    ['gone for a moment', [[classOf(theirs)], []], false, /belongs to/],
    ['given to us', [[classOf(theirs)], [], [classOf(us)], []], true, /belongs to/],
    ['absent, its Gateway served by another', [[gateway(theirs, us)]], false, /is absent and not made, .* of its Gateway ns\/gw/],
    ['absent, its Gateway served by us', [[gateway(us)]], true, undefined],
    ['absent, its Gateway touched by hand', [[gateway('kubectl-edit')]], true, undefined],
    ['ours, its Gateway once served by another', [[classOf(us), gateway(theirs)]], true, undefined],
    ['of another name', [[classOf(theirs, 'theirs')]], true, undefined],
  ]
  for (const [what, looks, isFree, said] of rows) {
    const lines: string[] = []
    const stream = { write: (line: string) => lines.push(line) > 0, on: () => undefined }
    const log = createLog({ level: 'info', format: 'json', stream, color: false })
    const claims = createClassClaims({ controllerName: us, classes: ['agentgateway'] }, log)
    for (const objects of looks) for (let time = 0; time < 2; time++) claims.free(objects)
    assert.deepEqual(claims.free(looks.at(-1) ?? []), isFree ? ['agentgateway'] : [], what)
    log.flush()
    assert.equal(lines.length, said === undefined ? 0 : 1, what)
    if (said !== undefined) assert.match(lines[0] ?? '', said)
  }
})

test('a class that was ours is known, whether it is still there or not', () => {
  const log = createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false })
  const claims = createClassClaims({ controllerName: us, classes: ['mcplex', 'agentgateway'] }, log)
  claims.free([classOf('agentgateway.dev/agentgateway')])
  assert.deepEqual([claims.wasOurs('agentgateway'), claims.wasOurs('mcplex')], [false, false])
  claims.free([classOf(us)])
  claims.free([])
  assert.deepEqual([claims.wasOurs('agentgateway'), claims.wasOurs('mcplex')], [true, false])
})

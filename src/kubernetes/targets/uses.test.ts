import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld, defaultSettings } from '../objects/objects.ts'
import { readUses } from './uses.ts'

test('the targets of a backend are read once', () => {
  const world = createWorld([
    {
      apiVersion: 'gateway.kgateway.dev/v1alpha1',
      kind: 'Backend',
      metadata: { namespace: 'ns', name: 'b' },
      spec: { type: 'MCP', mcp: { targets: [{ name: 'x', static: { host: 'x.example', port: 80 } }] } },
    },
  ])
  const { targetsOf } = readUses(world, [], defaultSettings('1.0.0'))
  const [backend] = world.all('gateway.kgateway.dev', 'Backend')
  assert.ok(backend)
  assert.equal(targetsOf(backend).candidates.length, 1)
  assert.equal(targetsOf(backend), targetsOf(backend))
})

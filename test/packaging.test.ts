import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('what is packed', () => {
  it('has the version of the package, everywhere', () => {
    for (const chart of ['mcplex', 'mcplex-crds']) {
      const { name, version, appVersion } = parse(read(`deploy/helm/${chart}/Chart.yaml`))
      assert.deepEqual([name, version, appVersion], [chart, packageJson.version, packageJson.version])
    }
    assert.match(read('Dockerfile'), new RegExp(`^ARG VERSION=${packageJson.version}$`, 'm'))
  })

  it('is on the Node.js that the project is developed with', () => {
    const [major] = packageJson.devDependencies.node.split('.')
    assert.match(read('Dockerfile'), new RegExp(`^FROM node:${major}-slim$`, 'm'))
  })

  it('leads to every definition of ours, and to none of others, by `kubectl apply -k`', () => {
    const { resources } = parse(read('deploy/kustomization.yaml'))
    const ours = readdirSync(join(root, 'deploy/crds')).filter((name) => name.startsWith('mcplex.dev_'))
    assert.deepEqual(
      resources.toSorted(),
      [...ours.map((name) => `crds/${name}`), 'budget.yaml', 'controller.yaml', 'rbac.yaml'].toSorted(),
    )
  })
})

describe('the walk through the post', () => {
  it("has the post's files, byte for byte", () => {
    const names = readdirSync(join(root, 'test/seed')).filter((name) => name.endsWith('.yaml'))
    assert.ok(names.length > 0)
    for (const name of names)
      assert.ok(readFileSync(join(root, 'deploy/post', name)).equals(readFileSync(join(root, 'test/seed', name))), name)
    assert.deepEqual(readdirSync(join(root, 'deploy/post')).toSorted(), [...names, 'README.md'].toSorted())
  })
})

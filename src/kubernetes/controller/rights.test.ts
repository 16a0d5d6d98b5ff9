import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { type Kind, kinds } from '../objects/objects.ts'
import { clusterRules, leaseNameFor, leaseRules, type PolicyRule, provisionRules, rightsObjects } from './rights.ts'

const all: readonly Kind[] = kinds

function mayDo(rules: readonly PolicyRule[], { group }: Pick<Kind, 'group'>, resource: string): readonly string[] {
  const verbs = rules.flatMap((rule) => (rule.apiGroups.includes(group) && rule.resources.includes(resource) ? rule.verbs : []))
  return [...new Set(verbs)].sort()
}

describe('what the controller may do in every namespace', () => {
  it('is to follow what says what is wanted, and to write what became of it', () => {
    for (const kind of all) {
      const isRead = kind.isFollowed === 'everywhere' ? ['get', 'list', 'watch'] : []
      const isMade = kind.isProvisioned === 'cluster' ? ['create'] : []
      assert.deepEqual(mayDo(clusterRules(), kind, kind.plural), [...isRead, ...isMade].sort(), kind.kind)
      const statusVerbs = { apply: ['patch'], put: ['update'], no: [] }[kind.status]
      assert.deepEqual(mayDo(clusterRules(), kind, `${kind.plural}/status`), statusVerbs, `${kind.kind} status`)
    }
  })

  it('names no Secret, no ConfigMap, nothing that runs and nothing with a star', () => {
    const words = clusterRules().flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs])
    for (const word of [
      'secrets',
      'configmaps',
      'pods',
      'nodes',
      'deployments',
      'roles',
      'rolebindings',
      'delete',
      'escalate',
      'bind',
      '*',
    ])
      assert.ok(!words.includes(word), word)
  })
})

describe('what it may do where a RoleBinding lets it', () => {
  it('is to make what Gateways need, and to read what their objects name', () => {
    for (const kind of all) {
      const made = kind.isProvisioned === 'namespace' ? ['create', 'delete', 'get', 'patch'] : []
      const read = kind.isFollowed === 'by-name' ? ['get', 'list', 'watch'] : []
      assert.deepEqual(mayDo(provisionRules(), kind, kind.plural), [...new Set([...made, ...read])].sort(), kind.kind)
    }
  })

  it('holds what it gives to proxies, or the API server would refuse to make their Roles', () => {
    for (const verb of ['get', 'list', 'watch']) assert.ok(mayDo(provisionRules(), { group: '' }, 'secrets').includes(verb), verb)
  })
})

describe('the objects that give these rights', () => {
  const bindings = rightsObjects().filter(({ kind }) => kind.endsWith('Binding'))

  it('bind cluster-wide only what names no Secret, and the rest in the namespace of the controller', () => {
    assert.deepEqual(
      bindings.map(({ kind, metadata, ...rest }) => [kind, metadata.namespace, (rest['roleRef'] as { name: string }).name]),
      [
        ['ClusterRoleBinding', undefined, 'mcplex-controller'],
        ['RoleBinding', 'mcplex-system', 'mcplex-lead'],
      ],
    )
    const role = rightsObjects().find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'mcplex-controller')
    assert.deepEqual(role?.['rules'], clusterRules())
  })

  it('are those of the account that the controller runs as, from the image of this version', () => {
    const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
    const { version } = JSON.parse(read('package.json'))
    const deployment = parse(read('deploy/controller.yaml'))
    const { serviceAccountName, containers } = deployment.spec.template.spec
    const account = rightsObjects().find(({ kind }) => kind === 'ServiceAccount')
    assert.deepEqual([deployment.metadata.namespace, serviceAccountName], [account?.metadata.namespace, account?.metadata.name])
    assert.equal(containers[0].image, `mcplex/mcplex:${version}`)
    assert.ok(containers[0].args.includes(containers[0].image))
  })

  it('let it change no lease but its own', () => {
    for (const { verbs, resourceNames } of leaseRules()) {
      assert.ok(verbs.join() === 'create' || resourceNames?.join() === 'mcplex-controller', JSON.stringify(verbs))
    }
  })
})

describe('the lease', () => {
  it('is that of the role for the usual controllerName, and another for each other', () => {
    assert.equal(leaseNameFor('mcplex.dev/controller'), 'mcplex-controller')
    assert.ok(leaseRules().some(({ resourceNames }) => resourceNames?.[0] === leaseNameFor('mcplex.dev/controller')))
    const others = ['example.com/a', 'example.com/A', 'example.com-a', `x.dev/${'y'.repeat(200)}`, 'x.dev/_'].map(leaseNameFor)
    for (const name of others) assert.match(name, /^mcplex-controller-[a-z0-9-]{1,60}[a-z0-9]$/)
    assert.equal(new Set(others).size, others.length)
  })
})

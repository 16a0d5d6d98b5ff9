import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inClusterIdentity } from './in-cluster.ts'

const directory = '/var/run/secrets/kubernetes.io/serviceaccount'
const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }

function pod(files: Record<string, string> = {}) {
  const all: Record<string, string> = { token: 'one\n', 'ca.crt': 'PEM', namespace: 'apps\n', ...files }
  const reads: string[] = []
  let ms = 0
  return {
    files: all,
    reads,
    pass: (more: number) => {
      ms += more
    },
    now: () => ms,
    readFile(path: string) {
      reads.push(path)
      const text = all[path.replace(`${directory}/`, '')]
      if (text === undefined) throw new Error('ENOENT')
      return text
    },
  }
}

test('a pod is who its service account is', async () => {
  const identity = inClusterIdentity({ env, ...pod() })
  assert.equal(identity?.server, 'https://10.96.0.1:443')
  assert.deepEqual(identity?.tls, { ca: 'PEM' })
  assert.equal(identity?.namespace, 'apps')
  assert.deepEqual(await identity?.headers(), { authorization: 'Bearer one' })
})

test('an IPv6 address is written as URLs want it', () => {
  const identity = inClusterIdentity({ env: { ...env, KUBERNETES_SERVICE_HOST: 'fd00::1' }, ...pod() })
  assert.equal(identity?.server, 'https://[fd00::1]:443')
})

test('there is no identity outside a cluster or without a token', () => {
  const { token: _, ...tokenless } = pod().files
  const rows: readonly [string, typeof env | object, Record<string, string>][] = [
    ['no host', { KUBERNETES_SERVICE_PORT: '443' }, pod().files],
    ['no port', { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, pod().files],
    ['no token', env, tokenless],
  ]
  for (const [what, around, files] of rows) {
    const readFile = (path: string) => {
      const text = files[path.replace(`${directory}/`, '')]
      if (text === undefined) throw new Error('ENOENT')
      return text
    }
    assert.equal(inClusterIdentity({ env: { ...around }, readFile, now: () => 0 }), undefined, what)
  }
})

test('a token that was replaced is used within a minute, and at once after a refresh', async () => {
  const house = pod()
  const identity = inClusterIdentity({ env, ...house })
  const header = async () => (await identity?.headers())?.['authorization']
  house.files['token'] = 'two'
  house.pass(59_999)
  assert.equal(await header(), 'Bearer one')
  house.pass(1)
  assert.equal(await header(), 'Bearer two')
  house.files['token'] = 'three'
  assert.equal(await header(), 'Bearer two')
  identity?.refresh()
  assert.equal(await header(), 'Bearer three')
  const reads = house.reads.length
  await header()
  assert.equal(house.reads.length, reads)
})

test('a token that can not be read any more rejects', async () => {
  const house = pod()
  const identity = inClusterIdentity({ env, ...house })
  delete house.files['token']
  identity?.refresh()
  await assert.rejects(async () => identity?.headers(), /ENOENT/)
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { kubeIdentity } from './kube-identity.ts'
import { kubeconfigIdentity } from './kubeconfig.ts'

function write(t: TestContext, name: string, config: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }))
  return file
}

const clusters = [
  { name: 'c', cluster: { server: 'https://c.example:6443', 'certificate-authority-data': Buffer.from('the CA').toString('base64') } },
  { name: 'd', cluster: { server: 'https://d.example', 'insecure-skip-tls-verify': true, 'tls-server-name': 'inside' } },
]
const certificate = {
  'client-certificate-data': Buffer.from('the certificate').toString('base64'),
  'client-key-data': Buffer.from('the key').toString('base64'),
}
const config = {
  clusters,
  users: [
    { name: 'u', user: { token: 'hunter2' } },
    { name: 'v', user: certificate },
  ],
  contexts: [
    { name: 'one', context: { cluster: 'c', user: 'u' } },
    { name: 'two', context: { cluster: 'd', user: 'v', namespace: 'ns' } },
  ],
  'current-context': 'one',
}

test('a kubeconfig gives the server, its authority and who asks', async (t) => {
  const kubeconfig = write(t, 'config', config)
  const one = await kubeIdentity({ kubeconfig, context: undefined }, { env: {} })
  assert.ok(one.kind === 'found')
  assert.deepEqual([one.identity.server, one.identity.namespace], ['https://c.example:6443', 'default'])
  assert.deepEqual(one.identity.tls, { ca: 'the CA' })
  assert.equal((await one.identity.headers())['Authorization'], 'Bearer hunter2')

  const two = await kubeIdentity({ kubeconfig, context: 'two' }, { env: {} })
  assert.ok(two.kind === 'found')
  assert.deepEqual([two.identity.server, two.identity.namespace], ['https://d.example', 'ns'])
  assert.deepEqual(two.identity.tls, { cert: 'the certificate', key: 'the key', servername: 'inside', rejectUnauthorized: false })
})

test('$KUBECONFIG may name several files; the first one’s context counts', async (t) => {
  const files = [
    write(t, 'a', { contexts: config.contexts, 'current-context': 'one' }),
    write(t, 'b', { ...config, 'current-context': 'two' }),
  ]
  const found = await kubeIdentity({ kubeconfig: undefined, context: undefined }, { env: { KUBECONFIG: files.join(':') } })
  assert.ok(found.kind === 'found', JSON.stringify(found))
  assert.equal(found.identity.server, 'https://c.example:6443')
})

test('a token’s file counts before a token; it is read anew after a minute, and after a refusal', async (t) => {
  const users = [
    { name: 'u', user: { token: 'hunter2', tokenFile: 'token' } },
    { name: 'v', user: { ...certificate, tokenFile: '' } },
  ]
  const kubeconfig = write(t, 'config', { ...config, users })
  const put = (text: string) => writeFileSync(join(dirname(kubeconfig), 'token'), text)
  put('one\n')
  let nowMs = 0
  const found = await kubeconfigIdentity([kubeconfig], undefined, () => nowMs)
  const token = async () => (await found.headers())['Authorization']
  assert.equal(await token(), 'Bearer one')
  put('two')
  nowMs += 59_000
  assert.equal(await token(), 'Bearer one')
  nowMs += 1000
  assert.equal(await token(), 'Bearer two')
  put('three')
  found.refresh()
  assert.equal(await token(), 'Bearer three')
  rmSync(join(dirname(kubeconfig), 'token'))
  found.refresh()
  await assert.rejects(token(), /ENOENT.*token/)

  const without = await kubeconfigIdentity([kubeconfig], 'two', () => nowMs)
  assert.equal((await without.headers())['Authorization'], undefined)
})

test('what is missing is said', async (t) => {
  const kubeconfig = write(t, 'config', { ...config, 'current-context': '' })
  const refused = (context: object, user: object = {}, cluster: object = {}) =>
    write(t, 'config', {
      clusters: [{ name: 'c', cluster: { server: 'https://c.example', ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
      'current-context': 'x',
    })
  const rows = [
    [{ kubeconfig: '/nowhere/config', context: undefined }, /there is no \/nowhere\/config: name a file by --kubeconfig/],
    [{ kubeconfig: undefined, context: undefined }, /this is no pod, and there is no \/nowhere\/\.kube\/config/],
    [{ kubeconfig, context: undefined }, /no context is current: name one by --context/],
    [{ kubeconfig, context: 'three' }, /there is no context three/],
    [{ kubeconfig: refused({ user: 'ghost' }), context: undefined }, /context x names the user ghost, which no file has/],
    [
      { kubeconfig: refused({}, { username: 'jo', password: 'hunter2' }), context: undefined },
      /user u: username is not supported: use a token/,
    ],
    [{ kubeconfig: refused({}, { token: 't', 'as-groups': ['g'] }), context: undefined }, /user u: as-groups is not supported/],
    [{ kubeconfig: refused({}, { token: 't', as: 'jo', 'as-uid': '1' }), context: undefined }, /user u: as-uid is not supported/],
    [{ kubeconfig: refused({}, {}, { 'proxy-url': 'http://p' }), context: undefined }, /cluster c: proxy-url is not supported/],
  ] as const
  for (const [options, expected] of rows) {
    const found = await kubeIdentity(options, { env: { HOME: '/nowhere' } })
    assert.ok(found.kind === 'missing')
    assert.match(found.text, expected)
    assert.doesNotMatch(found.text, /hunter2/)
  }
})

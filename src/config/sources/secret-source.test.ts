import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { bookmark, event, type FakeApi, openFakeApi } from '../../kube/fake-api-for-test.ts'
import { parseSecretName, watchSecret } from '../config.ts'

test('a name of a Secret', () => {
  assert.deepEqual(parseSecretName('secret:ns/a.b-mcplex'), { namespace: 'ns', name: 'a.b-mcplex' })
  for (const text of [
    'secret:',
    'secret:a',
    'secret:a/',
    'secret:/a',
    'secret:a/b/c',
    'secret:a/B',
    'a/b',
    'secret:a/b,c=d',
    'secret:a /b',
  ])
    assert.equal(parseSecretName(text), undefined, text)
})

interface Watched {
  readonly api: FakeApi
  /** Resolves with all that was told, once it is so much. */
  told(count: number): Promise<readonly string[]>
}

async function watched(t: TestContext): Promise<Watched> {
  const api = await openFakeApi(t, [])
  const words: string[] = []
  let wake = () => {}
  const say = (word: string) => {
    words.push(word)
    wake()
  }
  const log = { info() {}, warn() {} }
  const handlers = { onData: (data: object) => say(JSON.stringify(data)), onGone: say, onUnheard: (why: string) => say(`unheard: ${why}`) }
  const watch = watchSecret(api.client, { namespace: 'ns', name: 'g-mcplex' }, handlers, { log, random: () => 0.01 })
  t.after(() => watch.close())
  return {
    api,
    async told(count) {
      while (words.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      return words
    },
  }
}

test('each version of one Secret, that which counts, and that it is gone', async (t) => {
  const { api, told } = await watched(t)
  const first = await api.arrival(1)
  assert.deepEqual([first.path, first.query['fieldSelector']], ['/api/v1/namespaces/ns/secrets', 'metadata.name=g-mcplex'])
  first.send(bookmark(1, true))
  assert.deepEqual(await told(1), ['there is no such Secret'])
  const keys = { 'sessions.keys': 'W10=', 'admin.token': 'eA==' }
  first.send(
    event('ADDED', 'g-mcplex', 2, { data: keys }),
    event('MODIFIED', 'g-mcplex', 3, { data: { ...keys, 'config.json': 'e30=', other: 'x' } }),
    // Nothing that counts.
    event('MODIFIED', 'g-mcplex', 4, { data: { ...keys, 'config.json': 'e30=', other: 'y' } }),
    event('MODIFIED', 'g-mcplex', 5, { data: { ...keys, 'config.json.gz': 'eA==', 'config.json': 7 } }),
    event('DELETED', 'g-mcplex', 6, { data: { ...keys, 'config.json.gz': 'eA==' } }),
    event('ADDED', 'g-mcplex', 7, { data: { ...keys, 'config.json.gz': 'eA==' } }),
    event('MODIFIED', 'g-mcplex', 8, { data: null }),
  )
  const [, ...rest] = await told(7)
  assert.deepEqual(
    rest.map((word) => (word.startsWith('{') ? JSON.parse(word) : word)),
    [
      'the Secret has no configuration yet',
      { 'config.json': 'e30=', ...keys },
      { 'config.json.gz': 'eA==', ...keys },
      'the Secret was deleted',
      { 'config.json.gz': 'eA==', ...keys },
      'the Secret has no configuration yet',
    ],
  )
})

test('why nothing is heard', async (t) => {
  const { api, told } = await watched(t)
  ;(await api.arrival(1)).reply(403, { message: 'secrets is forbidden' })
  const [why] = await told(1)
  assert.match(why ?? '', /^unheard: .*403: secrets is forbidden/)
})

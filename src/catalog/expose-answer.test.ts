import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, type Method, refuse, type Subject } from '../mcp/mcp.ts'
import { entry, open, upstream } from './open-for-test.ts'

const docs = upstream('docs', { tools: ['t'], prompts: ['p'], resources: ['https://docs.example/listed', 'file:///x'] })
const subjects: Partial<Record<Method, Pick<Subject, 'kind' | 'name'>>> = {
  'tools/call': { kind: 'tools', name: 'docs_t' },
  'prompts/get': { kind: 'prompts', name: 'docs_p' },
  'resources/read': { kind: 'resources', name: 'docs+file:///x' },
  'completion/complete': { kind: 'resources', name: 'docs+file:///x' },
}
const place = { key: 'name', keyStart: 0, start: 0, end: 0, type: 'string' } as const

function expose(method: Method, answer: Answer, isPrefixed = true): Answer {
  const subject = subjects[method] ?? { kind: 'tools', name: 't' }
  const { kind, name } = isPrefixed ? subject : { kind: subject.kind, name: subject.name.replace(/^docs[_+]/, '') }
  const owner = open([docs], { isPrefixed }).catalog.owner({ kind, name })
  assert.ok(owner)
  const { expose: exposed } = owner
  return exposed(answer, method, { kind, name, place })
}

function complete(result: string): Answer {
  return { kind: 'complete', result, isError: false, hasMeta: false }
}

const link = (uri: string) => `{ "type":"resource_link", "uri" : ${JSON.stringify(uri)},"name":"file:///x"}`
const embedded = (uri: string) => `{"resource":{"text":"file:///x","uri":${JSON.stringify(uri)}},"type":"resource","uri":"file:///x"}`

/** Own URIs of links and embedded resources, and what becomes of them. */
const uris = [
  ['file:///x', 'docs+file:///x'],
  ['unlisted:é"\\', 'docs+unlisted:é"\\'],
  ['ui://app/1', 'ui://docs+app/1'],
  ['https://docs.example/listed', 'docs+https://docs.example/listed'],
  ['https://docs.example/other', 'https://docs.example/other'],
  ['HTTP://docs.example/', 'HTTP://docs.example/'],
  ['data:text/plain,x', 'data:text/plain,x'],
] as const

const rows: readonly (readonly [Method, (uri: string) => string])[] = [
  [
    'tools/call',
    (uri) =>
      `{"content":[{"type":"text","text":"resource"},${link(uri)} ,${embedded(uri)}],"structuredContent":${link('file:///x')},"n":1.0}`,
  ],
  [
    'prompts/get',
    (uri) => `{"description":"d","messages":[{"role":"user","content":${link(uri)}},{"role":"user","content": ${embedded(uri)} }]}`,
  ],
]

for (const [method, make] of rows) {
  test(`${method}: links and embedded resources lead back to the server, and every other character stays`, () => {
    for (const [own, exposed] of uris) {
      const answer = complete(make(own))
      const shown = expose(method, answer)
      assert.equal(shown.kind === 'complete' && shown.result, make(exposed))
      if (own === exposed) assert.equal(shown, answer)
      assert.equal(expose(method, answer, false), answer)
    }
  })
}

test('resources/read: all contents are called as they were asked for', () => {
  const make = (x: string, y: string) =>
    `{"contents":[{"uri":"${x}","text":"file:///x"}, {"blob":"","uri" : "${y}"},{"text":"odd"}],"uri":"file:///x"}`
  const shown = expose('resources/read', complete(make('file:///x', 'https://docs.example/other')))
  assert.equal(shown.kind === 'complete' && shown.result, make('docs+file:///x', 'docs+https://docs.example/other'))
  const answer = complete(make('file:///x', 'ui://y'))
  assert.equal(expose('resources/read', answer, false), answer)
})

test('resources/read: the error for what is not there names it as it was asked for', () => {
  const fail = (data: string | undefined): Answer => ({
    kind: 'failed',
    error: { code: -32002, message: 'Resource not found: file:///x', data },
  })
  assert.deepEqual(expose('resources/read', fail('{ "a":1.0,"uri":"file:///x" }')), fail('{ "a":1.0,"uri":"docs+file:///x" }'))
  for (const data of [undefined, '{"uri":"file:///y"}', '{"uri":7}', '"file:///x"', '[{"uri":"file:///x"}]', 'null']) {
    const answer = fail(data)
    assert.equal(expose('resources/read', answer), answer)
  }
  const other = fail('{"uri":"file:///x"}')
  assert.equal(expose('tools/call', other), other)
})

test('what holds no URI of the server’s is the same object', () => {
  const answers: readonly Answer[] = [
    complete('{"content":[{"type":"text","text":"x"}]}'),
    complete('{"content":[{"type":"text","text":"\\"resource_link\\""}]}'),
    complete('{"content":[{"type":"resource_link"},{"type":"resource"},{"type":"resource","resource":7},7],"x":"resource"}'),
    complete('{"content":{"type":"resource_link","uri":"file:///x"},"messages":[7,{"content":[]}],"contents":7}'),
    { kind: 'input-required', result: `{"inputRequests":{"a":${link('file:///x')}}}`, state: 's' },
    refuse('upstream-timeout', 'file:///x'),
  ]
  for (const answer of answers)
    for (const method of ['tools/call', 'prompts/get', 'resources/read', 'completion/complete'] as const)
      assert.equal(expose(method, answer), answer)
})

test('which https: resources are the server’s is asked of its list as it is now', () => {
  const { catalog } = open([docs])
  const owner = catalog.owner({ kind: 'tools', name: 'docs_t' })
  const answer = complete(`{"content":[${link('https://docs.example/new')}]}`)
  const shown = () => owner?.expose(answer, 'tools/call', { kind: 'tools', name: 'docs_t', place })
  assert.equal(shown(), answer)
  const before = docs.lists.resources
  docs.lists.resources = [...before, entry('resources', 'https://docs.example/new')]
  assert.deepEqual(shown(), complete(`{"content":[${link('docs+https://docs.example/new')}]}`))
  docs.lists.resources = before
})

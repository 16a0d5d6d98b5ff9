import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GetPromptResultSchema, ReadResourceResultSchema } from '@modelcontextprotocol/sdk/types.js'
import fc from 'fast-check'
import { type Answer, allCapabilities, type Call, capability, type EraName, type Method } from '../mcp/mcp.ts'
import { callOf, messageOf, servers } from './call-for-test.ts'
import { resendState } from './legacy/url-required.ts'

const minimal: Partial<Record<Method, string>> = {
  'tools/call': '{"name":"x"}',
  'prompts/get': '{"name":"x"}',
  'resources/read': '{"uri":"a:b"}',
  'completion/complete': '{"ref":{"type":"ref/prompt","name":"x"}}',
}

function read(server: EraName, method: Method, reply: string, more: Partial<Call> & { client?: EraName } = {}) {
  const { client = 'modern', ...rest } = more
  return servers[server].readAnswer(messageOf(`{"jsonrpc":"2.0","id":7,${reply}}`), callOf(client, method, minimal[method], rest))
}

/** An answer in one line; of a refusal its reason and text. */
function told(answer: Answer): unknown {
  if (answer.kind === 'refused') return `${answer.reason}: ${answer.text}`
  return answer.kind === 'complete' ? answer.result : answer
}

const invalid = (method: string) => `upstream-invalid: answered ${method} with a result that is not valid MCP`

/** Method, the server's result, and what the client gets; undefined: the same text. */
const results: readonly (readonly [name: string, method: Method, sent: string, got: unknown])[] = [
  ['the text stays', 'tools/call', '{ "content":[],"structuredContent":{"n":1.0} }', undefined],
  ['a prompt stays', 'prompts/get', '{ "messages":[{"role":"user","content":{"type":"text","text":"a"}}],"x":1.0 }', undefined],
  ['contents stay', 'resources/read', '{ "contents":[{"uri":"a:b","text":"x"},{"uri":"a:c","blob":"no Base64!"}],"x":1.0 }', undefined],
  ['no contents stay', 'resources/read', '{"contents":[]}', undefined],
  ['a completion stays', 'completion/complete', '{"completion":{"values":["a"],"total":1.0}}', undefined],
  [
    'a prompt: what spoils it goes',
    'prompts/get',
    '{"description":null,"messages":[{"role":"user","content":{"type":"text","text":"a","annotations":null}}],"_meta":null}',
    '{"messages":[{"role":"user","content":{"type":"text","text":"a"}}]}',
  ],
  [
    'a prompt: a string is a text block, and so is a list of one',
    'prompts/get',
    '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b"}]}]}',
    '{"messages":[{"role":"user","content":{"type":"text","text":"a"}},{"role":"assistant","content":{"type":"text","text":"b"}}]}',
  ],
  ['a prompt without messages', 'prompts/get', '{"messages":{}}', invalid('prompts/get')],
  ['a prompt of a role that is none', 'prompts/get', '{"messages":[{"role":"system","content":"a"}]}', invalid('prompts/get')],
  [
    'contents: what spoils them goes',
    'resources/read',
    '{"contents":[{"uri":"a:b","mimeType":null,"text":"x"},{"uri":"a:c","blob":"AA==","_meta":null}]}',
    '{"contents":[{"uri":"a:b","text":"x"},{"uri":"a:c","blob":"AA=="}]}',
  ],
  ['contents without a URI', 'resources/read', '{"contents":[{"text":"x"}]}', invalid('resources/read')],
  ['contents without anything', 'resources/read', '{"contents":[{"uri":"a:b"}]}', invalid('resources/read')],
  ['contents that are no list', 'resources/read', '{"contents":{"uri":"a:b","text":"x"}}', invalid('resources/read')],
  ['no completion', 'completion/complete', '{"x":1}', invalid('completion/complete')],
]

for (const server of ['legacy', 'modern'] as const)
  for (const [name, method, sent, got] of results) {
    test(`${server} server: ${name}`, () => assert.equal(told(read(server, method, `"result":${sent}`).answer), got ?? sent))
    test(`${server} server, with a resultType: ${name}`, () => {
      const answer = told(read(server, method, `"result":{"resultType":"complete",${sent.slice(1)}`).answer)
      const wanted = got ?? sent
      assert.ok(typeof answer === 'string' && typeof wanted === 'string')
      if (wanted.startsWith('{')) assert.deepEqual(JSON.parse(answer), JSON.parse(wanted))
      else assert.equal(answer, wanted)
    })
  }

test('resultType goes from wherever it stands, and nothing else does', () => {
  for (const [sent, got] of [
    ['{"resultType":"complete", "content":[]}', '{"content":[]}'],
    ['{ "content":[] , "resultType":"complete" }', '{ "content":[] }'],
    ['{"content":[], "resultType":"complete","isError":true}', '{"content":[], "isError":true}'],
  ] as const) {
    const { answer, isRepaired } = read('modern', 'tools/call', `"result":${sent}`)
    assert.equal(told(answer), got)
    assert.equal(isRepaired, false)
  }
})

test('a tool’s result is made valid, and said to be', () => {
  const { answer, isRepaired } = read(
    'modern',
    'tools/call',
    '"result":{"content":"a","resultType":"complete","isError":"True","_meta":null}',
  )
  assert.ok(isRepaired)
  assert.deepEqual(answer, {
    kind: 'complete',
    result: '{"content":[{"type":"text","text":"a"}],"isError":true}',
    isError: true,
    hasMeta: false,
  })
})

test('structured content of null stays where the server is modern', () => {
  const sent = '{"content":[],"structuredContent":null}'
  assert.equal(told(read('modern', 'tools/call', `"result":${sent}`).answer), sent)
  assert.equal(told(read('legacy', 'tools/call', `"result":${sent}`).answer), '{"content":[]}')
})

const messages = fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: fc.jsonValue() }, { requiredKeys: ['role'] }))

test('whatever a prompt’s messages and a resource’s contents hold, a strict client takes what it gets', () => {
  const anything = fc.oneof({ weight: 3, arbitrary: messages }, fc.array(fc.jsonValue()), fc.jsonValue())
  const contents = fc.array(
    fc.record(
      { uri: fc.webUrl(), text: fc.constantFrom('x', null), blob: fc.constantFrom('AA==', null), mimeType: fc.constantFrom('a/b', null) },
      { requiredKeys: ['uri'] },
    ),
  )
  const parse = (method: Method, result: object) => {
    const { answer } = read('legacy', method, `"result":${JSON.stringify(result)}`)
    return answer.kind === 'complete' ? JSON.parse(answer.result) : undefined
  }
  fc.assert(
    fc.property(anything, contents, fc.constantFrom<unknown[]>(undefined, null, 7, 'd'), (list, own, description) => {
      const prompt = parse('prompts/get', { description, messages: list })
      if (prompt !== undefined) assert.ok(GetPromptResultSchema.safeParse(prompt).success, JSON.stringify(prompt))
      const resource = parse('resources/read', { contents: own })
      if (resource !== undefined) assert.ok(ReadResourceResultSchema.safeParse(resource).success, JSON.stringify(resource))
    }),
  )
})

const error = (code: number, data?: string) => `"error":{"code":${code},"message":"m"${data === undefined ? '' : `,"data":${data}`}}`
const failed = (code: number, data?: string) => ({ kind: 'failed', error: { code, message: 'm', data } })

test('errors pass with their data', () => {
  for (const server of ['legacy', 'modern'] as const) {
    const answerTo = (reply: string) => told(read(server, 'resources/read', reply).answer)
    assert.deepEqual(answerTo(error(-32002, '{ "uri":"a:b"}')), failed(-32002, '{ "uri":"a:b"}'))
    assert.equal(answerTo('"error":7'), 'upstream-invalid: answered with an error that is no object')
    assert.equal(answerTo('"result":7'), 'upstream-invalid: answered without a result object')
    assert.equal(answerTo('"result":{"resultType":"task"}'), 'upstream-invalid: answered with a resultType that is not known here')
  }
  const legacy = read('legacy', 'tools/call', '"result":{"resultType":"input_required","requestState":"s"}')
  assert.equal(told(legacy.answer), 'upstream-invalid: answered with a resultType that is not known here')
})

test('codes of 2026-07-28 mean what it says where a modern server sends them', () => {
  const required = '{"requiredCapabilities":{"sampling":{},"roots":{}}}'
  for (const client of ['legacy', 'modern'] as const) {
    const answerTo = (reply: string) => told(read('modern', 'tools/call', reply, { client }).answer)
    for (const code of [-32020, -32022])
      assert.equal(answerTo(error(code)), `upstream-invalid: refused the gateway's request with error ${code}`)
    const lacks = 'upstream-invalid: needs what this client has not offered'
    assert.deepEqual(answerTo(error(-32021, required)), client === 'modern' ? failed(-32021, required) : `${lacks}: sampling, roots`)
    assert.deepEqual(answerTo(error(-32021)), client === 'modern' ? failed(-32021) : lacks)
    assert.deepEqual(answerTo(error(-32023)), failed(-32023))
  }
})

test('from a legacy server those codes are its own: a legacy client gets them, a modern one an internal error', () => {
  for (const code of [-32019, -32020, -32021, -32022, -32023]) {
    const answerTo = (client: EraName) => told(read('legacy', 'tools/call', error(code, '{"left":0}'), { client }).answer)
    assert.deepEqual(answerTo('legacy'), failed(code, '{"left":0}'))
    assert.deepEqual(answerTo('modern'), failed(code === -32019 || code === -32023 ? code : -32603, '{"left":0}'))
  }
})

const form = '{"method":"elicitation/create","params":{"message":"m"}}'
const url = '{"method":"elicitation/create","params":{"mode":"url","url":"https://x","message":"m"}}'
const sampling = '{"method":"sampling/createMessage","params":{"includeContext":"allServers"}}'
const withTools = '{"method":"sampling/createMessage","params":{"tools":[]}}'
const roots = '{"method":"roots/list"}'
const notOffered = 'upstream-invalid: asks for what the client has not offered'
const strange = 'upstream-invalid: asks for input in a way that is not known here'
const asked = (requests: string) => `,"inputRequests":${requests}`
const many = (count: number) => asked(`{${Array.from({ length: count }, (_, i) => `"k${i}":${roots}`).join(',')}}`)

/** What a modern server asks for, what the client can do, and the answer: a text is a refusal, undefined is the request itself. */
const rounds: readonly (readonly [name: string, members: string, capabilities: number, refusal: string | undefined])[] = [
  ['a form', asked(`{"k":${form}}`), capability.elicitationForm, undefined],
  ['a form, without forms', asked(`{"k":${form}}`), capability.elicitationUrl, notOffered],
  ['a URL', asked(`{"k":${url}}`), capability.elicitationUrl, undefined],
  ['a URL, without URLs', asked(`{"k":${url}}`), capability.elicitationForm, notOffered],
  ['sampling', asked(`{"k":${sampling}}`), capability.sampling, undefined],
  ['sampling, without it', asked(`{"k":${sampling}}`), allCapabilities & ~capability.sampling, notOffered],
  ['sampling with tools', asked(`{"k":${withTools}}`), capability.sampling | capability.samplingTools, undefined],
  ['sampling with tools, without tools', asked(`{"k":${withTools}}`), capability.sampling, notOffered],
  ['roots', asked(`{"k":${roots}}`), capability.roots, undefined],
  ['roots, without roots', asked(`{"k":${roots}}`), allCapabilities & ~capability.roots, notOffered],
  ['one of several that was not offered', asked(`{"k":${roots},"l":${form}}`), capability.roots, notOffered],
  ['nothing, in the end', asked('{}'), 0, undefined],
  ['a state that is no string', ',"requestState":{}', 0, 'upstream-invalid: asks for input with a requestState that is no string'],
  ['neither requests nor a state', '', 0, 'upstream-invalid: asks for input without saying for what'],
  ['requests that are no object', asked('[]'), 0, 'upstream-invalid: asks for input with inputRequests that are no object'],
  ['as many requests as there may be', many(32), allCapabilities, undefined],
  ['too many requests', many(33), allCapabilities, 'upstream-invalid: asks for more than 32 inputs at once'],
  ['another method', asked('{"k":{"method":"ping","params":{}}}'), allCapabilities, strange],
  ['a method that every object has', asked('{"k":{"method":"toString","params":{}}}'), allCapabilities, strange],
  ['no params', asked('{"k":{"method":"elicitation/create"}}'), allCapabilities, strange],
  ['params that are no object', asked('{"k":{"method":"roots/list","params":[]}}'), allCapabilities, strange],
  ['a request that is no object', asked('{"k":7}'), allCapabilities, strange],
]

for (const [name, more, capabilities, refusal] of rounds)
  test(`a modern server asks for: ${name}`, () => {
    const { answer } = read('modern', 'tools/call', `"result":{"resultType":"input_required"${more}}`, { capabilities })
    assert.deepEqual(told(answer), refusal ?? { kind: 'input-required', result: `{${more.slice(1)}}`, state: undefined })
  })

test('a request for input is told without its state, and only where there may be one', () => {
  const reply = `"result":{"_meta":{"k":1.0},"requestState":"s\\u00e9","resultType":"input_required","inputRequests":{"k":${roots}}}`
  const answerTo = (method: Method) => told(read('modern', method, reply, { capabilities: capability.roots, client: 'legacy' }).answer)
  const result = `{"_meta":{"k":1.0},"inputRequests":{"k":${roots}}}`
  for (const method of ['tools/call', 'prompts/get', 'resources/read'] as const)
    assert.deepEqual(answerTo(method), { kind: 'input-required', result, state: 'sé' })
  assert.equal(answerTo('completion/complete'), 'upstream-invalid: asks for input in the midst of completion/complete')
})

const visit = (more = '') => `{"mode":"url",${more}"url":"https://x","message":"m"}`
const visits = (list: string) => error(-32042, `{"elicitations":${list}}`)
const unusable = 'upstream-invalid: answered error -32042 without elicitations that can be used'

test('URLs that a legacy server wants visited first are asked of a modern client', () => {
  const answerTo = (reply: string, more: Partial<Call> & { client?: EraName } = {}, method: Method = 'tools/call') =>
    told(read('legacy', method, reply, { capabilities: capability.elicitationUrl, ...more }).answer)
  const one = visits(`[${visit('"elicitationId":"e",')},${visit()}]`)
  const request = `{"method":"elicitation/create","params":${visit()}}`
  const requested = { kind: 'input-required', result: `{"inputRequests":{"url-1":${request},"url-2":${request}}}`, state: resendState }
  assert.deepEqual(answerTo(one), requested)
  assert.deepEqual(answerTo(one, {}, 'resources/read'), requested)
  assert.deepEqual(answerTo(error(-32042), { capabilities: capability.elicitationForm }), {
    kind: 'failed',
    error: {
      code: -32021,
      message: 'the server wants the user to visit a URL, which this client has not offered',
      data: '{"requiredCapabilities":{"elicitation":{"url":{}}}}',
    },
  })
  for (const list of ['[]', '{}', '[7]', '[{"mode":"form"}]', `[${Array(33).fill(visit())}]`])
    assert.equal(answerTo(visits(list)), unusable)
  assert.equal(answerTo(error(-32042)), unusable)
  assert.equal(answerTo(error(-32042, '[]')), unusable)
  assert.deepEqual(answerTo(error(-32042, '{}'), {}, 'completion/complete'), failed(-32042, '{}'))
  assert.deepEqual(answerTo(error(-32042, '{ }'), { client: 'legacy' }), failed(-32042, '{ }'))
})

test('a failure that is said with something else than a boolean counts as one', () => {
  for (const [flag, isError] of [
    ['1', true],
    ['"yes"', true],
    ['{"code":7}', true],
    ['0', false],
    ['"false"', false],
    ['null', false],
  ] as const) {
    const { answer, isRepaired } = read('legacy', 'tools/call', `"result":{"content":[],"isError":${flag}}`)
    assert.ok(isRepaired && answer.kind === 'complete', flag)
    assert.deepEqual([answer.isError, answer.result], [isError, `{"content":[]${isError ? ',"isError":true' : ''}}`], flag)
  }
})

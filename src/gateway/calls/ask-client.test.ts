import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSealer } from '../../era/era.ts'
import { Cancellation, type EventStream, type Head } from '../../mcp/mcp.ts'
import { ReplyStream } from '../request/reply-stream.ts'
import { createAsks } from '../sessions/asks.ts'
import { askClient } from './ask-client.ts'

const scope = { route: 'r', caller: 'c', session: 's' }
const sealer = createSealer('ask', [{ id: 'k', secret: randomBytes(32) }], randomBytes)
/** Answers that one session can have waited for. */
const maxOfSession = 128

interface Question {
  readonly id: string
  readonly method: string
  readonly params: unknown
}

/** A legacy client that is asked, with what it got. */
function open({ canStream = true } = {}) {
  const questions: Question[] = []
  let isClosed = false
  const events: EventStream = {
    write(text) {
      questions.push(JSON.parse(text.slice('data: '.length)))
    },
    push: (text) => events.write(text),
    drained: () => undefined,
    end() {
      isClosed = true
    },
    get isClosed() {
      return isClosed
    },
  }
  const head: Head = { method: 'POST', path: '/mcp', query: '', host: 'h', listener: 'l', remote: 'p', header: () => undefined }
  const reply = new ReplyStream({ head, requestId: 'r', stream: canStream ? () => events : undefined })
  const asks = createAsks(() => sealer, 'p')
  const cancellation = new Cancellation()
  let ids = 0
  const deps = { asks, elicitationId: () => `e${++ids}` }
  return {
    asks,
    questions,
    reply,
    cancellation,
    close: () => events.end(),
    ask: (result: object, state?: string) =>
      askClient(deps, scope, { kind: 'input-required', result: JSON.stringify(result), state }, reply, cancellation),
    answer: (which: number, rest: string) => asks.take(scope, questions[which]?.id ?? '', rest).kind,
    /** How many answers more the session could wait for: all of them where every wait has been stopped. */
    room() {
      const waits = Array.from({ length: maxOfSession }, () => asks.waitFor(scope))
      for (const wait of waits) wait?.stop()
      return waits.filter((wait) => wait !== undefined).length
    },
  }
}

type Opened = ReturnType<typeof open>

/** No answer is waited for, and neither the client's going nor a cancellation is listened for. */
function assertOver({ room, questions, answer, reply, cancellation }: Opened): void {
  assert.equal(room(), maxOfSession)
  for (const which of questions.keys()) assert.equal(answer(which, '"result":{}'), 'late')
  reply.leave()
  cancellation.cancel()
}

const roots = { method: 'roots/list' }
const form = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } }
const sampling = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }

test('several questions are requests of their own; their answers go back under the server’s keys, with its state', async () => {
  const client = open()
  const round = client.ask({ inputRequests: { 'a"': form, b: roots, c: sampling } }, 'its own')
  assert.deepEqual(
    client.questions.map(({ method, params }) => ({ method, params })),
    [form, { ...roots, params: {} }, sampling],
  )
  assert.equal(new Set(client.questions.map(({ id }) => id)).size, 3)
  assert.equal(client.answer(2, '"result":{"n":1.00}'), 'taken')
  assert.equal(client.answer(0, '"result":{"action":"decline"}'), 'taken')
  assert.equal(client.answer(0, '"result":{"action":"accept"}'), 'late')
  assert.equal(client.answer(1, '"result":{"roots":[]}'), 'taken')
  assert.deepEqual(await round, { responses: '{"a\\"":{"action":"decline"},"b":{"roots":[]},"c":{"n":1.00}}', state: 'its own' })
  assertOver(client)
})

test('an elicitation by URL gets an id, and one of the server’s is replaced', async () => {
  const client = open()
  const url = { method: 'elicitation/create', params: { mode: 'url', message: 'Go', url: 'https://x.example' } }
  const round = client.ask({ inputRequests: { a: url, b: { ...url, params: { ...url.params, elicitationId: 'own' } }, c: form } })
  assert.deepEqual(
    client.questions.map(({ params }) => (params as { elicitationId?: string }).elicitationId),
    ['e1', 'e2', undefined],
  )
  for (const which of client.questions.keys()) client.answer(which, '"result":{}')
  assert.deepEqual(await round, { responses: '{"a":{},"b":{},"c":{}}', state: undefined })
})

test('a state alone is brought back without a question', async () => {
  for (const result of [{}, { inputRequests: {} }]) {
    const client = open({ canStream: false })
    assert.deepEqual(await client.ask(result, 'its own'), { responses: undefined, state: 'its own' })
    assert.equal(client.reply.isOpen, false)
  }
})

for (const [why, rest, text] of [
  ['with a word', '"error":{"code":-1,"message":"The user said no"}', 'the client refused: The user said no'],
  ['with many', `"error":{"code":-1,"message":"${'x'.repeat(1000)}"}`, `the client refused: ${'x'.repeat(300)}`],
  ['without a word', '"error":{"code":-1}', 'the client refused: without a word'],
  ['with no word', '"error":{"code":-1,"message":7}', 'the client refused: without a word'],
] as const)
  test(`one of several is refused, ${why}: the server gets no answers at all`, async () => {
    const client = open()
    const round = client.ask({ inputRequests: { a: roots, b: form } })
    client.answer(0, '"result":{"roots":[]}')
    client.answer(1, rest)
    assert.equal(await round, text)
    assertOver(client)
  })

test('the first that is refused ends the round: the others are taken back', async () => {
  const client = open()
  const round = client.ask({ inputRequests: { a: roots, b: form } })
  client.answer(1, '"error":{"code":-1,"message":"no"}')
  assert.equal(await round, 'the client refused: no')
  const { method, params } = client.questions.pop() ?? {}
  assert.deepEqual([method, params], ['notifications/cancelled', { requestId: client.questions[0]?.id }])
  assertOver(client)
})

test('the caller gives up', async () => {
  const client = open()
  const round = client.ask({ inputRequests: { a: roots, b: form } })
  client.answer(0, '"result":{"roots":[]}')
  client.cancellation.cancel()
  assert.equal(await round, 'the caller gave up')
  assertOver(client)
})

test('the caller has given up before', async () => {
  const client = open()
  client.cancellation.cancel()
  assert.equal(await client.ask({ inputRequests: { a: roots } }), 'the caller gave up')
  assertOver(client)
})

test('the client leaves', async () => {
  const client = open()
  const round = client.ask({ inputRequests: { a: roots, b: form } })
  client.reply.leave()
  assert.equal(await round, 'the client did not answer')
  assertOver(client)
})

const untold = 'the client takes no stream on which it could be asked'

test('the client takes no stream', async () => {
  const client = open({ canStream: false })
  assert.equal(await client.ask({ inputRequests: { a: roots, b: form } }), untold)
  assert.equal(client.questions.length, 0)
  assertOver(client)
})

test('the client has left, or its stream is closed', async () => {
  const left = open()
  left.reply.leave()
  const closed = open()
  closed.reply.write('{}')
  closed.questions.length = 0
  closed.close()
  for (const client of [left, closed]) {
    assert.equal(await client.ask({ inputRequests: { a: roots } }), untold)
    assert.equal(client.questions.length, 0)
    assertOver(client)
  }
})

test('more questions than answers can be waited for: those that were put are not waited for either', async () => {
  const client = open()
  const inputRequests = Object.fromEntries(Array.from({ length: maxOfSession + 1 }, (_, n) => [`${n}`, roots]))
  assert.equal(await client.ask({ inputRequests }), 'too many answers are waited for')
  assertOver(client)
})

test('as many as fit are put', async () => {
  const client = open()
  const inputRequests = Object.fromEntries(Array.from({ length: maxOfSession }, (_, n) => [`${n}`, roots]))
  const round = client.ask({ inputRequests })
  assert.equal(client.room(), 0)
  for (const which of client.questions.keys()) client.answer(which, `"result":{"n":${which}}`)
  const resume = await round
  assert.ok(typeof resume === 'object' && resume.responses !== undefined)
  assert.deepEqual(JSON.parse(resume.responses)['127'], { n: 127 })
  assertOver(client)
})

test('a client has ten minutes to answer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const client = open()
  let result: unknown
  const round = client.ask({ inputRequests: { a: roots, b: form } }).then((value) => {
    result = value
  })
  client.answer(0, '"result":{"roots":[]}')
  t.mock.timers.tick(10 * 60 * 1000 - 1)
  await new Promise(setImmediate)
  assert.equal(result, undefined)
  t.mock.timers.tick(1)
  await round
  assert.equal(result, 'the client did not answer')
  assertOver(client)
})

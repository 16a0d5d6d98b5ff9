import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { ScriptedServer } from './transcripts/scripted-server.ts'

// What a rule hides is what never was: to the byte, in every method, for clients and servers of both eras, and without a request to a
// server.

const offers = (name: string) =>
  new Map([
    ['tools', ['open', 'secret']],
    ['prompts', ['open', 'secret']],
    ['resources', ['open:1', 'secret:1']],
    ['templates', ['open:{id}', 'secret:{id}']],
    ['capabilities', ['{"completions":{},"logging":{},"resources":{"subscribe":true}}']],
    ['instructions', [`the words of ${name}`]],
  ])

const rules = `
policies:
  authorize:
    deny:
    - mcp.tool.name == "secret"
    - mcp.prompt.name == "secret"
    - mcp.resource.uri.startsWith("secret:")
    - mcp.tool.server == "hidden" || mcp.prompt.server == "hidden" || mcp.resource.server == "hidden"
`

/** Servers of one kind, with a log of what reaches each. */
async function serverOf(t: TestContext, name: string, kind: string) {
  const server = new ScriptedServer({ name, kind, offers: offers(name) })
  server.isPlaying = false
  const asked: string[] = []
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    asked.push(body === '' ? (request.method ?? '') : String((JSON.parse(body) as { method?: string }).method))
    server.take({ request, response, body })
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    http.close()
    http.closeAllConnections()
  })
  return { server, asked, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp` }
}

interface Reply {
  readonly status: number
  readonly text: string
  readonly session: string | undefined
}

const eras = ['legacy', 'modern'] as const
type Era = (typeof eras)[number]

/** A client of an era at a gateway before `shown` and `hidden`, which are servers of one kind. */
async function open(t: TestContext, kind: string, era: Era) {
  const shown = await serverOf(t, 'shown', kind)
  const hidden = await serverOf(t, 'hidden', kind)
  const config = configOf(`servers: { shown: "${shown.url}", hidden: "${hidden.url}" }\n${rules}`)
  const { gateway, port, close } = await openGateway(config, openListener)
  t.after(close)
  await gateway.settled()
  const session: { id: string | undefined } = { id: undefined }
  const send = async (method: string, params: object, read: (reply: Response) => Promise<string>, signal?: AbortSignal): Promise<Reply> => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
    }
    const about = params as { name?: string; uri?: string }
    const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    if (era === 'modern') {
      Object.assign(headers, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method })
      const named = about.name ?? about.uri
      if (named !== undefined && /^(tools|prompts|resources)\/(call|get|read)$/.test(method)) headers['mcp-name'] = named
    } else if (session.id !== undefined) headers['mcp-session-id'] = session.id
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: era === 'modern' ? { ...params, _meta: meta } : params })
    const reply = await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers, body, ...(signal && { signal }) })
    return { status: reply.status, text: await read(reply), session: reply.headers.get('mcp-session-id') ?? undefined }
  }
  const rpc = (method: string, params: object = {}) => send(method, params, (reply) => reply.text())
  if (era === 'legacy') {
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
    const reply = await rpc('initialize', hello)
    session.id = reply.session
    assert.ok(!reply.text.includes('words of hidden') && reply.text.includes('words of shown'), reply.text)
  }
  return { gateway, port, shown, hidden, rpc, send, session }
}

/** A reply without what is new in each. */
const plain = ({ status, text }: Reply) => `${status} ${text.replace(/"(mcplex\.dev\/)?requestId":"[^"]+"/g, '"requestId":"R"')}`

/** Method and params that name something; the second name never was. */
const namings: readonly (readonly [
  what: string,
  only: Era | undefined,
  method: string,
  params: (name: string) => object,
  hidden: string,
  never: string,
])[] = [
  ['a tool', undefined, 'tools/call', (name) => ({ name, arguments: { a: 1 } }), 'shown_secret', 'shown_absent'],
  ['a tool of a hidden server', undefined, 'tools/call', (name) => ({ name }), 'hidden_open', 'absent_open'],
  ['a prompt', undefined, 'prompts/get', (name) => ({ name }), 'shown_secret', 'shown_absent'],
  ['a prompt of a hidden server', undefined, 'prompts/get', (name) => ({ name }), 'hidden_open', 'absent_open'],
  ['a resource', undefined, 'resources/read', (uri) => ({ uri }), 'shown+secret:1', 'newer+secret:1'],
  ['what a template makes', undefined, 'resources/read', (uri) => ({ uri }), 'shown+secret:77', 'newer+secret:77'],
  ['a resource of a hidden server', undefined, 'resources/read', (uri) => ({ uri }), 'hidden+open:1', 'absent+open:1'],
  [
    'a prompt to complete',
    undefined,
    'completion/complete',
    (name) => completion({ type: 'ref/prompt', name }),
    'shown_secret',
    'shown_absent',
  ],
  [
    'a template to complete',
    undefined,
    'completion/complete',
    (uri) => completion({ type: 'ref/resource', uri }),
    'shown+secret:{id}',
    'newer+secret:{id}',
  ],
  ['a resource to subscribe to', 'legacy', 'resources/subscribe', (uri) => ({ uri }), 'shown+secret:1', 'newer+secret:1'],
  ['a resource to unsubscribe from', 'legacy', 'resources/unsubscribe', (uri) => ({ uri }), 'hidden+open:1', 'absent+open:1'],
]

function completion(ref: object) {
  return { ref, argument: { name: 'id', value: 'x' } }
}

for (const kind of ['seed', 'stateful', 'modern']) {
  for (const era of eras) {
    suite(`a ${era} client over ${kind} servers`, () => {
      test('what is hidden is in no list and in no capability', async (t) => {
        const { rpc, hidden, shown, gateway } = await open(t, kind, era)
        for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
          const { text } = await rpc(method)
          assert.ok(text.includes('open') && !text.includes('secret') && !text.includes('hidden'), `${method} ${text}`)
        }
        if (era === 'modern') {
          const { text } = await rpc('server/discover')
          assert.ok(text.includes('words of shown') && !text.includes('hidden'), text)
        }
        assert.ok(shown.asked.length > 0 && gateway.status().servers.every((server) => server.state === 'ready'))
        // A server that nobody here may use hears from the gateway itself alone: it opens no session for a client.
        assert.equal(hidden.asked.filter((method) => method === 'initialize').length <= 1, true, String(hidden.asked))
      })

      for (const [what, only, method, params, secret, never] of namings) {
        if (only !== undefined && only !== era) continue
        test(`${what} that is hidden is unknown (${method})`, async (t) => {
          const { rpc, shown, hidden } = await open(t, kind, era)
          // So that what is asked once is over.
          await rpc(method, params(never))
          const before = [...shown.asked, ...hidden.asked].length
          const one = await rpc(method, params(secret))
          const other = await rpc(method, params(never))
          assert.equal(plain(one).replaceAll(secret, never), plain(other))
          assert.ok(one.text.includes('"error"'), one.text)
          assert.equal([...shown.asked, ...hidden.asked].length, before)
        })
      }

      // Those of `seed` tell of no changes.
      if (kind === 'seed') return
      test('changes of what is hidden are told to nobody, those of what is seen are', async (t) => {
        const { send, rpc, shown, hidden, port, session } = await open(t, kind, era)
        await rpc('tools/list')
        const told: string[] = []
        const gone = new AbortController()
        t.after(() => gone.abort())
        const { promise: first, resolve } = Promise.withResolvers<void>()
        const listen = async (reply: Response) => {
          if (reply.body === null) return ''
          for await (const chunk of reply.body.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) {
            told.push(...[...chunk.matchAll(/notifications\/[\w/]+/g)].map(([name]) => name))
            if (told.includes('notifications/tools/list_changed')) resolve()
          }
          return ''
        }
        if (era === 'modern') {
          const notifications = { toolsListChanged: true, resourceSubscriptions: ['shown+secret:1', 'shown+open:1', 'hidden+open:1'] }
          void send('subscriptions/listen', { notifications }, listen, gone.signal).catch(() => {})
        } else {
          const headers = { accept: 'text/event-stream', 'mcp-session-id': session.id ?? '' }
          void fetch(`http://127.0.0.1:${port}/mcp`, { headers, signal: gone.signal })
            .then(listen)
            .catch(() => {})
        }
        const notices = kind === 'modern' ? 'subscriptions/listen' : 'GET'
        await waitFor(() => shown.asked.includes(notices) && hidden.asked.includes(notices) && (era === 'legacy' || told.length > 0))
        hidden.server.change('tools', ['open', 'secret', 'more'])
        await waitFor(() => hidden.asked.lastIndexOf('tools/list') > hidden.asked.indexOf(notices))
        shown.server.change('tools', ['open', 'secret', 'other'])
        await first
        assert.equal(told.filter((name) => name === 'notifications/tools/list_changed').length, 1, String(told))
      })
    })
  }
}

async function waitFor(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

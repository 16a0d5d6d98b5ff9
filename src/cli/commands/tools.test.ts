import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openServers } from '../../gateway/transcripts/scripted-server.ts'
import { runCli } from '../cli.ts'

/** Runs commands in a folder with these files, on a terminal where that is said. */
function openFolder(t: TestContext, files: Readonly<Record<string, string>>, isTTY = false) {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return async (...args: readonly string[]) => {
    const out = { stdout: '', stderr: '' }
    const output = (name: keyof typeof out) => ({
      isTTY,
      write: (text: string) => {
        out[name] += text
      },
      on() {},
    })
    const env = { NO_COLOR: '1', KEY_SHA256: 'ab'.repeat(32) }
    const terminal = { stdout: output('stdout'), stderr: output('stderr'), env, cwd: () => folder, on() {}, exit() {} }
    const code = await runCli(
      args.map((arg) => (Object.hasOwn(files, arg) ? join(folder, arg) : arg)),
      terminal,
    )
    return { code, stdout: out.stdout, stderr: out.stderr.replaceAll(`${folder}/`, '') }
  }
}

async function open(t: TestContext, more: object = {}) {
  const servers = await openServers([
    { name: 'a', kind: 'modern', offers: new Map([['tools', ['x', 'y', 'z']]]) },
    { name: 'b', kind: 'modern', offers: new Map([['tools', ['x']]]) },
  ])
  t.after(() => servers.close())
  for (const server of servers.byName.values()) server.isPlaying = false
  const backend = (name: string) => ({ servers: { [name]: { http: { url: `${servers.url}/${name}` } } } })
  const document = {
    backends: { main: backend('a'), other: backend('b'), ...more },
    policies: {
      authenticate: {
        mode: 'optional',
        jwt: [{ issuer: 'https://id.example', audiences: ['a'], jwks: { inline: '{"keys":[]}' } }],
        apiKeys: [{ id: 'ci', sha256: '${KEY_SHA256}' }],
      },
    },
    agents: {
      sre: { from: ['main'], tools: ['*', '!a_z'], policies: { authorize: { deny: ['mcp.tool.name == "y" && !has(apiKey.id)'] } } },
      ops: { from: ['main', 'other'], tools: ['*_x'], access: 'has(jwt.sub)' },
      none: { from: ['other'] },
    },
  }
  return openFolder(t, { 'm.json': JSON.stringify(document, undefined, 1), 'claims.json': '{"sub":"u"}', token: 'not a token\n' })
}

test('tools of a file says what each of its agents sees of them', async (t) => {
  const mcplex = await open(t)
  const { code, stdout } = await mcplex('tools', 'm.json')
  assert.equal(code, 0)
  assert.deepEqual(
    stdout
      .split('\n')
      .slice(-4, -1)
      .map((line) => line.replace(/≈ \d+/, '≈ N')),
    ['agent sre sees 2 of 4 tools, ≈ N tokens', 'agent ops sees 2 of 4 tools, ≈ N tokens', 'agent none sees 0 of 4 tools, ≈ 0 tokens'].map(
      (line) => line.replace('≈ 0', '≈ N'),
    ),
  )
  const { agents, tools } = JSON.parse((await mcplex('tools', '--output', 'json', '--config', 'm.json')).stdout)
  assert.equal(tools, 4)
  assert.deepEqual(
    agents.map(({ name, tools: seen, of, tokens }: Readonly<Record<string, number>>) => [name, seen, of, Number(tokens) > 0]),
    [
      ['sre', 2, 4, true],
      ['ops', 2, 4, true],
      ['none', 0, 4, false],
    ],
  )
})

test('tools --agent lists what its caller sees, with their arguments and tokens and the sum', async (t) => {
  const mcplex = await open(t)
  const names = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await mcplex('tools', 'm.json', '--agent', ...args)
    return [
      code,
      ...[...stdout.matchAll(/^ {2}([a-z]_[a-z]) +\d+ {2}≈ +\d+/gm)].map(([, name]) => name),
      ...(stderr === '' ? [] : [stderr]),
    ]
  }
  assert.deepEqual(await names('sre'), [0, 'a_x'])
  assert.deepEqual(await names('sre', '--api-key', 'ci'), [0, 'a_x', 'a_y'])
  assert.deepEqual(await names('ops', '--claims', 'claims.json'), [0, 'a_x', 'b_x'])
  const [code, refused] = await names('ops')
  assert.equal(code, 1)
  assert.match(`${refused}`, /^refused: access: has\(jwt\.sub\) .* {2}\[m\.json:\d+:\d+\]\n$/)
  assert.match(`${(await names('sre', '--token', 'token'))[1]}`, /^refused: authenticate: /)
  const { stdout } = await mcplex('tools', 'm.json', '--agent', 'sre')
  assert.match(
    stdout,
    /^ {2}TOOL {2}ARGS {2}TOKENS\n {2}a_x .*\nagent sre sees 1 of 4 tools, ≈ \d+ tokens each time a model is shown the list\n$/,
  )
  const json = JSON.parse((await mcplex('--output', 'json', 'tools', 'm.json', '--agent', 'sre')).stdout)
  assert.deepEqual([json.agent.tools.map(({ name }: { name: string }) => name), json.agent.of], [['a_x'], 4])
  for (const args of [
    ['m.json', '--agent', 'nobody'],
    ['m.json', '--api-key', 'ci'],
    ['m.json', '--agent', 'sre', '--token', 'missing'],
    ['m.json', '--agent', 'sre', '--token', 'token', '--api-key', 'ci'],
    ['http://127.0.0.1:9/mcp', '--claims', 'claims.json'],
  ])
    assert.equal((await mcplex('tools', ...args)).code, 2, args.join(' '))
})

test('a server of the agent that is down is told, and it ends with 69; others do not matter', async (t) => {
  const gone = { servers: { gone: { http: { url: 'http://127.0.0.1:9/' } } } }
  const mcplex = await open(t, { other: gone })
  const { code, stdout, stderr } = await mcplex('tools', 'm.json', '--agent', 'ops', '--claims', 'claims.json')
  assert.deepEqual([code, /^ {2}a_x /m.test(stdout)], [69, true])
  assert.match(stderr, /^unreachable: gone can't be reached: connection refused \(ECONNREFUSED\); .*\n$/)
  assert.equal((await mcplex('tools', 'm.json', '--agent', 'sre')).code, 0)
})

test('of a URL, --agent is the end of its path, and credentials go with the request', async (t) => {
  const seen: [path: string, headers: IncomingHttpHeaders][] = []
  const server = createServer((request, response) => {
    seen.push([request.url ?? '', request.headers])
    response.writeHead(503).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const mcplex = openFolder(t, { token: 'a$b\n', key: 'k\n' })
  const { code, stderr } = await mcplex('tools', url, '--agent', 'sre', '--token', 'token')
  assert.equal(code, 69)
  assert.doesNotMatch(stderr, /a\$b|plain-secret/)
  await mcplex('tools', `${url}/`, '--agent', 'sre', '--api-key', 'key')
  const [first, second] = [seen[0], seen.at(-1)]
  assert.deepEqual([first?.[0], first?.[1].authorization], ['/mcp/sre', 'Bearer a$b'])
  assert.deepEqual([second?.[0], second?.[1]['x-api-key']], ['/mcp/sre', 'k'])
  await mcplex('tools', `${url}?tenant=a`, '--agent', 'sre')
  assert.equal(seen.at(-1)?.[0], '/mcp/sre?tenant=a')
})

test('a person is told who is waited for, and the line goes when the answer comes', async (t) => {
  const isAsked = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    isAsked.resolve()
    setTimeout(() => response.writeHead(503).end(), 700)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const file = JSON.stringify({ servers: { slow: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` } })
  const { stderr } = await openFolder(t, { 'm.json': file }, true)('tools', 'm.json')
  assert.ok(stderr.startsWith('\r\u001b[Kwaiting for slow …\r'), JSON.stringify(stderr))
  assert.match(stderr, /\r\u001b\[Kunreachable: slow answered/)
  const { stderr: quiet } = await openFolder(t, { 'm.json': file })('tools', 'm.json')
  assert.match(quiet, /^unreachable/)
})

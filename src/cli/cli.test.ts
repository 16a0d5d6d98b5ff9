import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCli } from './cli.ts'
import { startDemo } from './demo/demo.ts'
import type { Terminal } from './terminal/terminal.ts'

/** Runs the command line in this process, in a folder with just these files. */
async function mcplex(
  t: TestContext,
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
  env: Terminal['env'] = {},
  how: { readonly isTTY?: boolean; readonly on?: Terminal['on'] } = {},
) {
  const cwd = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  const written = { stdout: '', stderr: '' }
  const output = (name: keyof typeof written) => ({
    ...how,
    write(text: string) {
      written[name] += text
    },
    on() {},
  })
  const terminal: Terminal = {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env,
    cwd: () => cwd,
    on: how.on ?? (() => {}),
    exit() {},
  }
  const code = await runCli(
    args.map((arg) => (Object.hasOwn(files, arg) ? join(cwd, arg) : arg)),
    terminal,
  )
  return { code, ...written }
}

test('--version and --help go to stdout and are good; wrong arguments go to stderr and end with 2', async (t) => {
  for (const flag of ['--version', '-V']) assert.deepEqual(await mcplex(t, [flag]), { code: 0, stdout: '0.1.0\n', stderr: '' })
  const help = await mcplex(t, ['--help'])
  assert.deepEqual([help.code, help.stderr], [0, ''])
  const commands = ['run', 'check', 'tools', 'why', 'test', 'translate', 'controller', 'audit', 'schema']
  for (const command of commands) assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'))
  assert.deepEqual(await mcplex(t, ['help']), help)
  const wrong = [
    ['nonsense'],
    ['check'],
    ['run', '--nonsense'],
    ['run', 'a', 'b'],
    ['run', 'a', '--config', 'b'],
    ['test', 'a', '--config', 'b'],
    ['why', '--agent', 'a', 'tool', 'a', '--config', 'b'],
    ['check', 'a', 'b', '--print'],
    ['check', 'a', '--no-env', '--print'],
    ['--output', 'xml', 'schema'],
    ['test', 'a', '--output', 'github'],
    ['run', '--log-level', 'loud'],
    ['run', '--config', 'secret:ns/a', '--listen', '8081'],
  ]
  for (const args of wrong) {
    const { code, stdout, stderr } = await mcplex(t, args)
    assert.deepEqual([code, stdout], [2, ''], args.join(' '))
    assert.notEqual(stderr, '')
  }
})

test('schema prints a JSON Schema', async (t) => {
  const { code, stdout, stderr } = await mcplex(t, ['schema'])
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(JSON.parse(stdout).$schema, 'https://json-schema.org/draft/2020-12/schema')
})

const bad = 'lissten: 8080\nservers:\n  a_b: http://127.0.0.1:1/mcp\n'
const secret = 'servers: { a: { http: "http://127.0.0.1:1/mcp", credentials: { header: { x: hunter2 } } } }\n'

test('check says all problems with their place and remedy on stderr, and ends with 78', async (t) => {
  const { code, stdout, stderr } = await mcplex(t, ['check', 'bad.yaml'], { 'bad.yaml': bad })
  assert.deepEqual([code, stdout], [78, ''])
  assert.match(stderr, /bad\.yaml:1:1 error unknown-key: .*\n {2}1 \| lissten: 8080\n {4}\| \^\n {2}hint: .*`listen`/)
  assert.match(stderr, /bad\.yaml:3:3 error bad-name/)
  assert.match(stderr, /bad\.yaml: 2 errors\n$/)
})

test('check --output json puts the problems on stdout, none as an empty array', async (t) => {
  const wrong = await mcplex(t, ['check', 'bad.yaml', '--output', 'json'], { 'bad.yaml': bad })
  assert.deepEqual([wrong.code, wrong.stderr], [78, ''])
  assert.deepEqual(
    JSON.parse(wrong.stdout).map((problem: { code: string }) => problem.code),
    ['unknown-key', 'bad-name'],
  )
  const good = await mcplex(t, ['--output', 'json', 'check', 'good.yaml'], { 'good.yaml': 'servers: {}' })
  assert.deepEqual([good.code, JSON.parse(good.stdout)], [0, []])
  const missing = await mcplex(t, ['check', 'none.yaml', '--output', 'json'])
  assert.deepEqual([missing.code, JSON.parse(missing.stdout)[0].code], [78, 'unreadable-file'])
})

test('the help of every command has two examples, exit codes and where more is written; help COMMAND is the same', async (t) => {
  for (const command of [
    [],
    ['run'],
    ['check'],
    ['tools'],
    ['why'],
    ['test'],
    ['translate'],
    ['controller'],
    ['audit', 'verify'],
    ['schema'],
  ]) {
    const { code, stdout } = await mcplex(t, [...command, '--help'])
    assert.equal(code, 0)
    const [, examples = ''] = /\nExamples:\n((?: {2}.*\n)*)\n?Exit codes: 0 .*; 2 wrong arguments\.\nMore: docs\//.exec(stdout) ?? []
    const lines = examples.split('\n').filter((line) => /^ {2}\S/.test(line))
    assert.equal(lines.length, 2, stdout)
    const name = ['mcplex', ...command].join(' ')
    for (const line of lines) assert.ok(line.includes(name), line)
    if (command.length === 1) assert.deepEqual(await mcplex(t, ['help', ...command]), { code, stdout, stderr: '' })
  }
})

const needy =
  'servers: { a: { http: "${BASE}/mcp", credentials: { header: { Authorization: "Bearer ${TOKEN}" } } } }\nadmin: { token: "${file:gone}" }\n'

test('a port that is in use is told with the key and the option by which to choose another; without arguments it runs', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const served = (document: object) => ({ 'mcplex.yaml': JSON.stringify({ servers: {}, admin: { listen: '127.0.0.1:0' }, ...document }) })
  const hint = `  hint: end the program that has it, or choose another port: \`listen: ${port + 1}\` in the file, or --listen ${port + 1}\n`
  const inUse = `error port-in-use: listener "default": 127.0.0.1:${port} is in use\n${hint}`
  for (const [args, document] of [
    [[], { listen: port }],
    [['run', 'mcplex.yaml'], { listen: port }],
    [['run', '--listen', `${port}`], {}],
    [['run', 'mcplex.yaml', '--listen', `127.0.0.1:${port}`, '--log-level', 'error'], { listen: 1, observe: { log: { format: 'json' } } }],
  ] as const) {
    const { code, stderr } = await mcplex(t, args, served(document))
    assert.deepEqual([code, stderr.endsWith(inUse)], [1, true], stderr)
  }
  const admin = await mcplex(t, ['run', '--listen', '0'], served({ admin: { listen: `127.0.0.1:${port}` } }))
  assert.equal(admin.code, 1)
  assert.ok(admin.stderr.includes(`\`admin: { listen: "127.0.0.1:${port + 1}" }\``), admin.stderr)
  const unfit = await mcplex(t, ['run', '--listen', 'here'], served({}))
  assert.deepEqual([unfit.code, /error bad-value: `here` is not a/.test(unfit.stderr)], [78, true], unfit.stderr)
})

test('check --no-env lets variables be unset and files be away, and still says what is wrong', async (t) => {
  const strict = await mcplex(t, ['check', 'a.yaml'], { 'a.yaml': needy })
  assert.deepEqual([strict.code, strict.stderr.match(/error (unset-variable|unreadable-file)/g)?.length], [78, 3])
  const lenient = await mcplex(t, ['check', 'a.yaml', '--no-env'], { 'a.yaml': needy })
  assert.equal(lenient.code, 0, lenient.stderr)
  assert.match(lenient.stderr, /^\S+a\.yaml is good: 1 listener, 1 server, 0 agents; not checked: 3 values of variables and files\n$/)
  const wrong = await mcplex(t, ['check', '--no-env', 'a.yaml'], { 'a.yaml': `${needy}lissten: 1\n` })
  assert.equal(wrong.code, 78)
  assert.deepEqual(wrong.stderr.match(/error \S+/g), ['error unknown-key:'])
})

test('check takes several files, or finds the one that run would; problems as JSON say their file', async (t) => {
  const files = { 'a.yaml': bad, 'b.yaml': 'servers: {}', 'c.yaml': 'listen: 1' }
  const text = await mcplex(t, ['check', 'a.yaml', 'b.yaml', 'c.yaml'], files)
  assert.equal(text.code, 78)
  assert.match(text.stderr, /a\.yaml: 2 errors\n\S+b\.yaml is good: .*\n(.*\n)*\S+c\.yaml: 1 error\n$/)
  const json = JSON.parse((await mcplex(t, ['check', 'a.yaml', 'c.yaml', '--output', 'json'], files)).stdout)
  assert.deepEqual(
    json.map(({ file, code }: { file: string; code: string }) => `${file.replace(/.*\//, '')} ${code}`),
    ['a.yaml unknown-key', 'a.yaml bad-name', 'c.yaml missing-key'],
  )
  assert.equal((await mcplex(t, ['check'], { 'mcplex.yaml': 'servers: {}' })).code, 0)
  assert.equal((await mcplex(t, ['check', '--config', 'x.yaml'], { 'x.yaml': bad })).code, 78)
})

test('check --output github marks the lines of a change', async (t) => {
  const { code, stdout, stderr } = await mcplex(t, ['check', '--output', 'github', 'a,b.yaml'], {
    'a,b.yaml': bad + secret.replace('servers', 'x: 100%\nadmin'),
  })
  assert.deepEqual([code, stderr], [78, ''])
  const [first = '', second = ''] = stdout.split('\n')
  assert.equal(
    first,
    '::error file=a%2Cb.yaml,line=1,col=1,title=mcplex unknown-key::there is no key `lissten` here%0Ahint: did you mean `listen`?',
  )
  assert.match(second, /^::error file=a%2Cb\.yaml,line=3,col=3,title=mcplex bad-name::/)
  const good = await mcplex(t, ['--output', 'github', 'check', 'a.yaml'], { 'a.yaml': secret })
  assert.equal(good.code, 0)
  assert.match(good.stdout, /^::warning file=a\.yaml,line=1,col=\d+,title=mcplex plain-secret::[^\n]*\n$/)
  assert.ok(!good.stdout.includes('hunter2'))
})

test('check --print prints the long form, good to be checked again, without literal secrets', async (t) => {
  const { code, stdout, stderr } = await mcplex(t, ['check', '--print', 'good.yaml'], { 'good.yaml': secret })
  assert.equal(code, 0)
  assert.match(stderr, /plain-secret/)
  assert.match(stderr, /is good: 1 listener, 1 server, 0 agents\n$/)
  assert.doesNotMatch(stdout + stderr, /hunter2/)
  assert.match(stdout, /^listeners:\n/)
  const again = await mcplex(t, ['check', 'long.yaml'], { 'long.yaml': stdout })
  assert.equal(again.code, 0)
  const json = await mcplex(t, ['check', '--print', '--output', 'json', 'good.yaml'], { 'good.yaml': secret })
  const { problems, config } = JSON.parse(json.stdout)
  assert.deepEqual([problems[0].code, config.listeners[0].port], ['plain-secret', 8080])
  assert.doesNotMatch(json.stdout, /hunter2/)
})

test('tools lists the servers of a file under their exposed names, with tokens', async (t) => {
  const demo = await startDemo()
  t.after(() => demo.close())
  const file = { 'mcplex.yaml': JSON.stringify({ servers: demo.urls }) }
  const text = await mcplex(t, ['tools'], file)
  assert.deepEqual([text.code, text.stderr], [0, ''])
  assert.match(
    text.stdout,
    /^ {2}TOOL +ARGS {2}TOKENS\nmath: 2 tools, ≈ \d+ tokens\n {2}math_add +2 {2}≈ +\d+ {2}Adds two numbers\.\n {2}math_multiply .*\ndate: 1 tool/,
  )
  const json = await mcplex(t, ['tools', 'mcplex.yaml', '--output', 'json'], file)
  const report = JSON.parse(json.stdout)
  assert.deepEqual(
    report.servers.map((server: { name: string; tools: { name: string }[] }) => [server.name, ...server.tools.map((tool) => tool.name)]),
    [
      ['math', 'math_add', 'math_multiply'],
      ['date', 'date_get_current_date'],
    ],
  )
  assert.equal(report.tools, 3)
})

test('tools lists an endpoint by its URL, with bare names', async (t) => {
  const demo = await startDemo()
  t.after(() => demo.close())
  const { code, stdout } = await mcplex(t, ['tools', demo.urls.date])
  assert.equal(code, 0)
  assert.match(stdout, /^ {2}get_current_date +0 {2}≈/m)
})

test('an endpoint that is dead or no MCP server ends with 69 and says so; the rest of a file is still listed', async (t) => {
  const page = createServer((_request, response) => response.end('<html>'))
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/`
  const html = await mcplex(t, ['tools', url])
  assert.deepEqual([html.code, html.stdout], [69, ''])
  assert.match(html.stderr, /^unreachable: http:\S+ answered .*no JSON-RPC; .*correct its url\n$/)
  await new Promise((resolve) => page.close(resolve))
  const dead = await mcplex(t, ['tools', url])
  assert.deepEqual([dead.code, dead.stdout], [69, ''])
  assert.match(
    dead.stderr,
    /^unreachable: http:\S+ can't be reached: connection refused \(ECONNREFUSED\); nothing listens at 127\.0\.0\.1:\d+: start .*\n$/,
  )

  const demo = await startDemo()
  t.after(() => demo.close())
  const some = await mcplex(t, ['tools', 'a.yaml'], { 'a.yaml': JSON.stringify({ servers: { gone: url, date: demo.urls.date } }) })
  assert.equal(some.code, 69)
  assert.match(some.stdout, /\ngone: .*\(ECONNREFUSED\); .*\ndate: 1 tool/)
  assert.match(some.stderr, /^unreachable: gone .*\(ECONNREFUSED\); .*\n$/)
})

test('a URL that may not be used is a wrong argument, a bad file a bad configuration', async (t) => {
  for (const url of ['ftp://127.0.0.1/', 'http://169.254.169.254/mcp']) {
    const { code, stderr } = await mcplex(t, ['tools', url])
    assert.equal(code, 2, url)
    assert.ok(stderr.startsWith(`${url}: `), stderr)
  }
  assert.equal((await mcplex(t, ['tools', 'bad.yaml'], { 'bad.yaml': bad })).code, 78)
})

test('colors are for terminals only, and NO_COLOR turns them off', async (t) => {
  const rows = [
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{}, {}, false],
  ] as const
  for (const [how, env, expected] of rows) {
    const { stderr } = await mcplex(t, ['check', 'bad.yaml'], { 'bad.yaml': bad }, env, how)
    assert.equal(stderr.includes('\u001b['), expected, JSON.stringify([how, env]))
  }
})

test('a controller name is a domain with a path, a namespace is a name', async (t) => {
  const rows = [
    [['--controller-name', 'mcplex'], /--controller-name mcplex is no domain with a path: write it such as example.com\/gateways/],
    [['--controller-name', 'Example.com/a'], /no domain with a path/],
    [['--controller-name', 'example.com/'], /no domain with a path/],
    [['--namespace', 'A b'], /--namespace A b is no name of a namespace/],
  ] as const
  for (const [args, expected] of rows) {
    const { code, stderr } = await mcplex(t, ['controller', ...args])
    assert.equal(code, 2)
    assert.match(stderr, expected)
  }
})

test('a file of records that can not be opened is a start that fails, with the place, the path, the reason and the remedy', async (t) => {
  const text = `listen: "127.0.0.1:0"
admin: { listen: "127.0.0.1:0" }
servers: {}
policies:
  audit:
    key: \${KEY}
    sinks:
      - stdout: true
      - file: logs/audit.jsonl
`
  const { code, stderr } = await mcplex(t, ['run', '--config', 'a.yaml'], { 'a.yaml': text }, { KEY: Buffer.alloc(32).toString('base64') })
  assert.equal(code, 78)
  assert.match(
    stderr,
    /^\S+a\.yaml:9:15 error unwritable-file: records of requests can't be written to \/\S+\/logs\/audit\.jsonl: its folder is not there \(ENOENT\)\n {2}9 \| {7}- file: logs\/audit\.jsonl\n {4}\| +\^\n {2}hint: make the folder, or write another path\n$/,
  )
})

test('what goes with a Secret, and what it is called', async (t) => {
  const rows = [
    [['--config', 'secret:mcplex'], /secret:mcplex names no Secret: write it as secret:NAMESPACE\/NAME/],
    [['--config', 'a.yaml', '--last-good', 'x'], /--last-good, --kubeconfig and --context go with --config secret:/],
    [['--context', 'x'], /go with --config secret:/],
    [['--drain-delay', '5'], /Write it such as 5s/],
    [['--drain-delay', '2h'], /at most 1h/],
  ] as const
  for (const [args, expected] of rows) {
    const { code, stderr } = await mcplex(t, ['run', ...args])
    assert.equal(code, 2, stderr)
    assert.match(stderr, expected)
  }
  const nowhere = await mcplex(t, ['run'], {}, { MCPLEX_CONFIG: 'secret:ns/g-mcplex', HOME: '/nowhere' })
  assert.equal(nowhere.code, 78)
  assert.match(nowhere.stderr, /no Kubernetes cluster: .*--kubeconfig/)
})

test('a Secret that can’t be had is waited for, until a signal ends it well', async (t) => {
  const cluster = {
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
  }
  const config = JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...cluster, 'current-context': 'c' })
  const listeners: (() => void)[] = []
  const on: Terminal['on'] = (event, listener) => {
    if (event !== 'SIGTERM') return
    listeners.push(listener)
    setImmediate(listener)
  }
  const { code, stdout, stderr } = await mcplex(
    t,
    ['run', '--config', 'secret:ns/g-mcplex', '--kubeconfig', 'config'],
    { config },
    {},
    { on },
  )
  assert.deepEqual([code, stdout, listeners.length], [0, '', 1], stderr)
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { makeAuthority } from '../../listen/certificate-for-test.ts'
import { expand, type Origin, parseConfig, printConfig } from '../config.ts'

const env = { GITHUB_TOKEN: 'gh', GW_SECRET: 'gw', KEY_A: `${'A'.repeat(43)}=`, KEY_B: `${'B'.repeat(43)}=` }
const { cert, key } = makeAuthority('test').issue()
const from = { env, readFile: (path: string) => (path.endsWith('.key') ? key : cert), origin: 'file' } as const

function parsed(text: string, origin: Origin = 'file') {
  const { config, problems } = parseConfig(text, { ...from, origin })
  assert.deepEqual(problems, [])
  assert.ok(config)
  return config
}

const short = `# yaml-language-server: $schema=./mcplex.schema.json
listen: 127.0.0.1:8080            # PORT, HOST:PORT or [IPv6]:PORT; a bare PORT binds 127.0.0.1
servers:                          # name: URL  |  name: {http|sse|command|openapi: …, any server key of section 2}
  math: http://127.0.0.1:8001/mcp
  date: { http: http://127.0.0.1:8002/mcp, era: legacy }
agents:                           # optional
  sre: { tools: [math_add, "date_*"] }
`

const long = `listeners: [{ name: default, address: 127.0.0.1, port: 8080, protocol: HTTP }]
backends:
  default: { servers: { math: { http: { url: http://127.0.0.1:8001/mcp } }, date: { http: { url: http://127.0.0.1:8002/mcp }, era: legacy } } }
agents: { sre: { from: [default], tools: [math_add, "date_*"], path: /mcp/sre } }
routes:
- { name: sre, rules: [{ matches: [{ path: { type: Exact, value: /mcp/sre } }], backends: [{ agent: sre }] }] }
`

const team = `listeners:
- { name: https, address: 0.0.0.0, port: 8443, protocol: HTTPS, hostname: mcp.example.com, tls: { certificates: [{ cert: "\${file:tls.crt}", key: "\${file:tls.key}" }] } }
backends:
  ops:
    servers:
      github: { http: { url: https://api.githubcopilot.com/mcp/ }, credentials: { header: { Authorization: "Bearer \${GITHUB_TOKEN}" } } }
      kubernetes: { http: { host: kubernetes-mcp.tools.svc, port: 80 }, timeouts: { request: 2m }, credentials: { exchange: { tokenUrl: https://id.example/token, clientId: gw, clientSecret: "\${GW_SECRET}", audience: kubernetes-mcp } } }
      notes: { command: { run: [npx, -y, "@modelcontextprotocol/server-everything@2026.8.31"] } }
agents:
  sre: { from: [ops], tools: ["github_list_*", "kubernetes_*", "!kubernetes_delete_*"], resources: ["github+*"], access: '"sre" in jwt.groups', instructions: You keep the clusters healthy. }
routes:
- name: main
  listeners: [https]
  rules:
  - { matches: [{ path: { type: PathPrefix, value: /mcp/sre } }], backends: [{ agent: sre }], timeouts: { request: 5m } }
policies: { authenticate: { jwt: [{ issuer: https://id.example, audiences: [https://mcp.example.com/mcp/sre], jwks: { url: https://id.example/certs } }] }, authorize: { deny: ['has(mcp.tool.annotations.destructiveHint) && mcp.tool.annotations.destructiveHint'] } }
sessions: { keys: [{ id: b, secret: "\${KEY_B}" }, { id: a, secret: "\${KEY_A}" }] }
`

const post = `listeners: [{ name: http, address: 0.0.0.0, port: 8080, protocol: HTTP, insecure: true }]
backends:
  kgateway-system/mcp-backend:
    servers:
      math-mcp-server: { http: { host: mcp-math-server.default.svc.cluster.local, port: 80 } }
      date-mcp-server: { http: { host: mcp-date-server.default.svc.cluster.local, port: 80 } }
    prefix: conditional
routes: [{ name: kgateway-system/mcp-route, listeners: [http], rules: [{ matches: [{ path: { type: PathPrefix, value: / } }], backends: [{ backend: kgateway-system/mcp-backend }] }] }]
`

describe('expand', () => {
  it('makes exactly the long form of the example', () => {
    assert.deepEqual(expand(parse(short)), parse(long))
  })

  it('leaves every long form as it is', () => {
    for (const text of [long, team]) assert.deepEqual(expand(parse(text)), parse(text))
    assert.deepEqual(expand(parse(post)), parse(post))
  })

  it('makes one route to the backend where there are no agents', () => {
    assert.deepEqual(expand({ servers: { math: 'http://127.0.0.1:8001/mcp' } }), {
      backends: { default: { servers: { math: { http: { url: 'http://127.0.0.1:8001/mcp' } } } } },
      routes: [
        {
          name: 'default',
          rules: [
            {
              matches: ['/mcp', '/sse', '/messages'].map((value) => ({ path: { type: 'Exact', value } })),
              backends: [{ backend: 'default' }],
            },
          ],
        },
      ],
    })
  })

  const listens = [
    [9000, '127.0.0.1', 9000],
    ['9000', '127.0.0.1', 9000],
    ['0.0.0.0:9000', '0.0.0.0', 9000],
    ['localhost:0', 'localhost', 0],
    ['[::1]:9000', '::1', 9000],
  ] as const
  for (const [listen, address, port] of listens) {
    it(`reads listen: ${listen}`, () => {
      assert.deepEqual(expand({ listen, servers: {} }).listeners, [{ name: 'default', address, port, protocol: 'HTTP' }])
    })
  }

  it('turns a client’s block into servers, with headers as credentials and folded names', () => {
    const mcpServers = {
      My_Server: { type: 'http', url: 'https://a.example/mcp', headers: { 'X-Key': '$K' } },
      plain: { url: 'https://b.example/mcp' },
    }
    assert.deepEqual(expand({ mcpServers }).backends, {
      default: {
        servers: {
          'my-server': { http: { url: 'https://a.example/mcp' }, credentials: { header: { 'X-Key': '$K' } } },
          plain: { http: { url: 'https://b.example/mcp' } },
        },
      },
    })
  })

  it('gives an agent a path of its own only where the document has no routes', () => {
    const agents = { a: {}, b: { path: '/mcp' } }
    const own = expand({ servers: {}, agents, routes: [] })
    assert.deepEqual(own.agents, { a: { from: ['default'] }, b: { from: ['default'], path: '/mcp' } })
    assert.deepEqual(
      (own.routes as { name: string }[]).map((route) => route.name),
      ['b'],
    )
    const none = expand({ servers: {}, agents })
    assert.deepEqual(
      (none.routes as { name: string }[]).map((route) => route.name),
      ['a', 'b'],
    )
  })

  it('keeps /mcp closed where the document has agents, even an empty map of them', () => {
    assert.deepEqual(expand({ servers: {}, agents: {} }).routes, [])
  })
})

describe('the documents of configuration.md', () => {
  it('short and long form give the same Config', () => {
    assert.deepEqual(parsed(short), parsed(long))
  })

  it('the short form gives all defaults', () => {
    const config = parsed(short)
    assert.deepEqual(config.limits, {
      body: '4MiB',
      headers: '16KiB/100',
      depth: 64,
      tokens: 100_000,
      connections: 10_000,
      streamsPerCaller: 100,
      toolsPerServer: 10_000,
      pages: 100,
      answer: '16MiB',
    })
    assert.deepEqual(config.sessions, { keys: [], idle: '30m', absolute: '24h' })
    assert.deepEqual([config.admin, config.health], [{ listen: '127.0.0.1:15000' }, { listen: 'off' }])
    assert.deepEqual(config.observe, { log: { level: 'info', format: 'auto' } })
    assert.deepEqual(config.backends.default, {
      servers: Object.fromEntries(
        [
          ['math', 8001, 'auto'],
          ['date', 8002, 'legacy'],
        ].map(([name, port, era]) => [
          name,
          {
            http: { url: `http://127.0.0.1:${port}/mcp` },
            era,
            timeouts: { connect: '2s', request: '60s', list: '5s' },
            ttl: '60s',
            credentials: 'none',
            passHeaders: [],
          },
        ]),
      ),
      prefix: 'always',
      failure: 'open',
      routing: 'stateful',
    })
  })

  it('the post’s objects are a Config from Kubernetes', () => {
    const config = parsed(post, 'kubernetes')
    assert.deepEqual(config.backends['kgateway-system/mcp-backend']?.servers['math-mcp-server']?.http, {
      host: 'mcp-math-server.default.svc.cluster.local',
      port: 80,
      path: '/mcp',
    })
    assert.equal(config.backends['kgateway-system/mcp-backend']?.prefix, 'conditional')
    assert.deepEqual(config.routes[0]?.rules[0]?.matches, [{ path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] }])
    assert.deepEqual(parseConfig(printConfig(config), { ...from, origin: 'kubernetes' }).config, config)
  })

  it('the team’s gateway asks only for what is not there yet', () => {
    const { config, problems } = parseConfig(team, from)
    assert.equal(config, undefined)
    assert.deepEqual(
      problems.map(({ code, path }) => `${code} ${path}`),
      ['not-supported backends.ops.servers.kubernetes.credentials.exchange', 'not-supported backends.ops.servers.notes.command'],
    )
    assert.ok(problems.every((problem) => problem.hint !== undefined))
  })
})

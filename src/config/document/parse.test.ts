import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Origin, parseConfig, parsePlain, printConfig, renderProblems } from '../config.ts'

const env = { PORT: '9000', WORD: 'abc', YES: 'true', EMPTY: '', SHORT_KEY: 'c2hvcnQ=', TWO_LINES: 'a\nb' }
const files: Readonly<Record<string, string>> = { '/etc/mcplex/token': 's3cret\n' }

function readFile(path: string): string {
  const content = files[path]
  if (content === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
  return content
}

function parse(text: string, origin: Origin = 'file') {
  return parseConfig(text, { file: '/etc/mcplex/mcplex.yaml', env, readFile, origin })
}

/** Takes ‹code› marks out of a document: each stands before the place of the problem that is expected. */
function unmark(marked: string): { text: string; expected: string[] } {
  const expected: string[] = []
  let text = ''
  for (const part of marked.split(/(‹[a-z-]+›)/)) {
    if (!part.startsWith('‹')) text += part
    else expected.push(`${text.split('\n').length}:${text.length - text.lastIndexOf('\n')} ${part.slice(1, -1)}`)
  }
  return { text, expected }
}

const one = 'servers: { math: http://127.0.0.1:8001/mcp }\n'

const table: Readonly<Record<string, readonly string[]>> = {
  'the text': [
    'servers: { math: "http://127.0.0.1:8001/mcp }‹yaml-syntax›',
    'servers: {}\n‹duplicate-key›servers: {}',
    '{"servers": {}, "admin": {"listen": "127.0.0.1:1", ‹duplicate-key›"listen": "127.0.0.1:2"}}',
    'servers: {}\n‹yaml-syntax›---\nlisten: 8080',
    'servers: {}\nlisten: ‹wrong-type›‹yaml-syntax›*port',
    'servers: {}\n? ‹wrong-type›[a, b]\n: 1',
    '‹wrong-type›- servers',
    '‹missing-key›listen: 8080',
    '‹missing-key›',
  ],
  'merge keys and shared blocks': [
    'x-common: &c { era: legacy, ‹unknown-key›timeout: 5s }\nservers: { a: { http: http://a/, <<: *c } }',
    'x-common: &c { http: http://a/, era: ‹bad-value›old }\nservers:\n  a:\n    <<: *c',
    'x-a: &a { era: legacy }\nservers: { a: { <<: [*a, ‹wrong-type›7], http: http://a/ } }',
    'servers: { a: { <<: ‹wrong-type›7, http: http://a/ } }',
    'servers: { a: { http: http://a/, ‹unknown-key›"<<": {} } }',
    'x-a: &a { era: legacy }\nservers: { a: { <<: *a, http: http://a/, era: ‹bad-value›old } }',
    `${one}x-a: { b: 1, ‹duplicate-key›b: 2 }`,
    `${one}limits: { ‹unknown-key›x-a: 1 }`,
    'servers: { a: { http: http://a/, timeouts: { request: ‹wrong-type›5 } } }',
  ],
  'keys and types': [
    `‹unknown-key›lissten: 8080\n${one}`,
    'servers:\n  math: { http: http://127.0.0.1:1/mcp, ‹unknown-key›timeout: { request: 5s } }',
    `${one}limits: { ‹unknown-key›__proto__: 1, ‹unknown-key›constructor: 2 }`,
    'servers: ‹wrong-type›[math]',
    'servers:\n  math: ‹wrong-type›\n',
    'servers: { math: ‹wrong-type›7 }',
    `${one}limits: { depth: ‹wrong-type›"64", body: ‹wrong-type›4 }`,
    `${one}limits: { answer: 8MiB, buffered: ‹bad-value›7MiB }`,
    `${one}limits: { depth: ‹bad-value›0, tokens: ‹bad-value›1.5, body: ‹bad-value›4MB, headers: ‹bad-value›16KiB }`,
    `${one}observe: { log: { level: ‹bad-value›warning } }`,
    `${one}sessions: { idle: ‹bad-value›1.5h, absolute: ‹bad-value›1d }`,
    `${one}listeners: [‹missing-key›{ name: a }, ‹missing-key›{ port: 1 }]`,
    'servers: { ‹missing-key›math: { era: legacy } }',
    'servers: { math: { ‹missing-key›http: { host: a } } }',
    'servers: { math: { http: { url: http://a/, ‹conflicting-keys›host: a, ‹conflicting-keys›port: 1 } } }',
    'servers: { math: { http: { url: http://a/, ‹conflicting-keys›port: 1 } } }',
    'servers: { math: { http: { url: http://a/, ‹conflicting-keys›tls: { serverName: b } } } }',
    'servers: { math: { http: { url: https://a/, ‹missing-key›tls: { cert: PEM } } } }',
    'listen: ‹bad-value›70000\nservers: {}',
    'listen: ‹bad-value›example.com:80\nservers: {}',
    'listen: ‹bad-value›"[::1:80"\nservers: {}',
    `${one}listeners: [{ name: a, port: 1, address: ‹bad-value›"[::1]" }]`,
    `${one}agents: { a: { tools: [‹bad-value›math, ‹bad-value›"Math_add", ‹bad-value›"math_a b", "math*", "*add", "!math_*"] } }`,
    `${one}agents: { a: { prompts: [‹bad-value›math, math_*], resources: [‹bad-value›docs, ‹bad-value›"Docs+x", ‹bad-value›"docs+a b", ‹bad-value›docs_x, docs+file:///a_b+c, "!docs+*", "*.md", "docs+{+x}"] } }`,
    `${one}agents: { a: { path: ‹bad-value›mcp } }`,
    `${one}routes: [{ name: a, hostnames: [‹bad-value›"a.*.example", ‹bad-value›A.example], rules: [] }]`,
    'backends: { a: { servers: {} } }\nroutes: [{ name: r, rules: [{ backends: ‹bad-value›[] }] }]',
  ],
  names: [
    'servers: { ‹bad-name›my_server: http://127.0.0.1:1/mcp }',
    'servers: { ‹bad-name›-a: http://127.0.0.1:1/mcp }',
    'backends: { ‹bad-name›ns/name: { servers: {} } }',
    `servers: {}\nagents: { ‹bad-name›${'a'.repeat(64)}: { path: /mcp } }`,
    `${one}listeners: [{ name: ‹bad-name›A, port: 1 }]`,
    'mcpServers: { ‹names-fold›my_server: { url: http://127.0.0.1:1/mcp }, ‹duplicate-name›My-Server: { url: http://127.0.0.1:2/mcp } }',
    `${one}mcpServers: { ‹conflicting-keys›Math: { url: http://127.0.0.1:1/mcp } }`,
    'mcpServers: { ‹bad-name›___: { url: http://127.0.0.1:1/mcp } }',
  ],
  references: [
    'servers: { math: ‹unset-variable›"http://127.0.0.1:${NOT_SET}/mcp" }',
    'servers: {}\nadmin: { token: ‹unset-variable›"${NOT_SET}" }',
    'servers: {}\nadmin: { token: ‹unreadable-file›"${file:missing}" }',
    'servers: {}\nadmin: { token: ‹bad-value›"${EMPTY}" }',
    'servers: {}\nadmin: { token: ‹bad-value›"${1x}" }',
    'servers: {}\nadmin: { token: ‹plain-secret›hunter2 }',
    'servers: {}\nadmin: { token: ‹plain-secret›"${NOT_SET:-hunter2}" }',
    'servers: {}\nlimits: { depth: ‹bad-value›"${WORD}" }',
    'servers: {}\nsessions: { keys: [{ id: a, secret: ‹bad-value›"${SHORT_KEY}" }] }',
    'servers: { a: { http: http://a/mcp, credentials: { header: { X-A: ‹bad-value›"${TWO_LINES}", ‹bad-value›Host: "${WORD}" } } } }',
  ],
  'between the parts': [
    `listen: 8080\n‹conflicting-keys›listeners: [{ name: a, port: 1 }]\n${one}`,
    `${one}backends: { ‹conflicting-keys›default: { servers: {} } }`,
    'servers: {}\nagents: { a: { from: [‹unknown-reference›ops] } }',
    `${one}routes: [{ name: r, listeners: [‹unknown-reference›web], rules: [{ backends: [{ backend: ‹unknown-reference›ops }] }] }]`,
    `${one}routes: [{ name: r, rules: [{ backends: [{ agent: ‹unknown-reference›sre }] }] }]`,
    `${one}routes: [{ name: r, rules: [] }, { name: ‹duplicate-name›r, rules: [] }]`,
    `${one}listeners: [{ name: a, port: 1 }, { name: ‹duplicate-name›a, port: 2 }]`,
    `${one}listeners: [{ name: a, port: 1 }, { name: b, port: ‹duplicate-name›1 }]`,
    `${one}sessions: { keys: [{ id: a, secret: ‹plain-secret›AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= }, { id: ‹duplicate-name›a, secret: ‹plain-secret›AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= }] }`,
    `${one}listeners: [{ name: a, port: 1, hostname: a.example }, { name: b, port: 1, hostname: b.example }, { name: c, port: 0 }, { name: d, port: 0 }]`,
    `${one}admin: { listen: ‹duplicate-name›127.0.0.1:8080 }`,
    'backends: { a: { servers: { x: { http: { url: http://a/ } } } }, b: { servers: { x: { http: { url: http://b/ } } } } }\nagents: { c: { from: [a, ‹duplicate-name›b] } }',
    'backends: { a: { servers: { x: { http: { url: http://a/ } } } } }\nagents: { c: { from: [a, ‹duplicate-name›a] } }',
    `${one}agents: { a: { path: /mcp/b }, b: ‹shadowed-route›{} }`,
    'backends: { a: { servers: {} } }\nroutes: [{ name: r, rules: [{ backends: [{ backend: a }] }, { matches: [‹shadowed-route›{ path: { value: / } }, { method: GET }], backends: [{ backend: a }] }] }]',
    'backends: { a: { servers: {} } }\nroutes: [{ name: r, hostnames: [a.example], rules: [{ backends: [{ backend: a }] }] }, { name: s, rules: [{ backends: [{ backend: a }] }] }]',
    'backends: { a: { servers: {} } }\nroutes: [{ name: r, hostnames: [a.example], rules: [{ backends: [{ backend: a }] }] }, { name: s, hostnames: [a.example, b.example], rules: [{ backends: [{ backend: a }] }] }]',
    `${one}agents: { a: { path: ‹duplicate-name›/mcp } }\nroutes: [{ name: a, rules: [] }]`,
  ],
  safety: [
    `listen: ‹unsafe-listener›0.0.0.0:8080\n${one}`,
    `listen: ‹unsafe-listener›"[::]:8080"\n${one}`,
    `listen: 127.8.8.8:8080\n${one}`,
    `listen: "[::1]:8080"\n${one}`,
    `${one}listeners: [{ name: a, address: 10.0.0.1, port: 1, insecure: true }, { name: b, address: ‹unsafe-listener›10.0.0.2, port: 1 }]`,
    `listen: 0.0.0.0:8080\n${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b] }] } }`,
    `listen: ‹unsafe-listener›0.0.0.0:8080\n${one}policies: { authenticate: { mode: optional, jwt: [{ issuer: https://a, audiences: [b] }] } }`,
    `listen: ‹unsafe-listener›0.0.0.0:8080\n${one}agents: { a: { policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b] }] } } }, b: {} }`,
    `listen: 0.0.0.0:8080\n${one}agents: { a: { policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b] }] } } } }`,
    `${one}admin: { listen: ‹unsafe-listener›0.0.0.0:15000 }`,
    `${one}admin: { listen: 0.0.0.0:15000, token: "\${file:token}" }\nhealth: { listen: 0.0.0.0:15021 }`,
    ...[
      'http://169.254.169.254/latest',
      'http://2852039166/',
      'http://0xa9.0xfe.1/',
      'http://[::ffff:169.254.169.254]/',
      'http://[fe80::1]/',
      'http://[::169.254.169.254]/',
      'http://[64:ff9b::169.254.169.254]/',
      'http://[fd00:ec2::254]/',
      'http://metadata.google.internal./',
      'http://METADATA.google.internal/computeMetadata',
    ].map((url) => `servers: { a: ‹unsafe-url›"${url}" }`),
    'servers: { a: { http: { host: ‹unsafe-url›169.254.169.254, port: 80 } } }',
    'servers: { a: { http: { host: ‹unsafe-url›"fe80::1", port: 80 } } }',
    ...['169.254.169.254:80', '[::ffff:169.254.169.254]:80', '[fe80::1]:80', '[fd00:ec2::254]:80'].map(
      (endpoint) => `servers: { a: { http: { url: http://a/, endpoints: [10.0.0.1:80, ‹unsafe-url›"${endpoint}"] } } }`,
    ),
    ...[
      '80',
      ':80',
      'a:80',
      'localhost:80',
      '10.0.0.1',
      '10.0.0.1:0',
      '10.0.0.1:080',
      '10.0.0.1:65536',
      '::1:80',
      '[10.0.0.1]:80',
      '[fd00::1%eth0]:80',
      '0x7f.1:80',
      '10.0.0.1:80/',
    ].map((endpoint) => `servers: { a: { http: { host: a, port: 80, endpoints: [‹bad-value›"${endpoint}"] } } }`),
    'servers: { a: { http: { url: https://a/, endpoints: [10.0.0.1:80, "[2001:DB8::1]:65535", 127.0.0.2:1] } }, b: { http: { url: http://b/, endpoints: [] } } }',
    `servers: { a: { http: { url: http://a/, endpoints: [${Array(256).fill('10.0.0.1:80')}] } } }`,
    `servers: { a: { http: { url: http://a/, endpoints: ‹too-large›[${Array(257).fill('10.0.0.1:80')}] } } }`,
    ...[
      '127。0。0。1:29599\\\\.mcp.good.svc',
      'a\\\\b',
      'a:80',
      'a%2eb',
      'fe80::2%eth0',
      '[::1]',
      'a..b',
      '.a',
      'a..',
      '１２７.0.0.1',
      'bücher.example',
      '$${HOME}',
      // The URL parser takes these for addresses, or for none.
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '127.1',
      '10.0.0.1.',
      'a.999',
      '256.0.0.1',
    ].map((host) => `servers: { a: { http: { host: ‹bad-value›"${host}", port: 80 } } }`),
    ...['a', 'A_b-c.Example.', 'xn--bcher-kva.example', '10.0.0.1', '2001:DB8::1', '::ffff:10.0.0.1'].map(
      (host) => `servers: { a: { http: { host: "${host}", port: 80 } } }`,
    ),
    'servers: { a: { http: { host: a, port: 443, tls: {} } }, b: { http: { host: a, port: 443 } } }',
    'servers: { a: { http: { url: https://a, tls: { serverName: ‹bad-value›"a:b" } } } }',
    'servers: { a: { http: ‹bad-value›"http://a.example\\\\@b.example/" }, b: { http: "http://bücher.example/?a=\\\\" } }',
    'servers: { a: { http: { host: "::1", port: 80 } }, b: { http: { host: 127.0.0.1, port: 80, tls: {} } } }',
    'servers: { a: ‹bad-value›ftp://a.example/, b: ‹bad-value›127.0.0.1:8001/mcp, c: ‹bad-value›https://user:hunter2@a.example/ }',
  ],
  'who callers are': [
    `${one}policies: { authenticate: ‹needs-key›{} }`,
    `${one}policies: { authenticate: { jwt: [{ ‹missing-key›issuer: https://a }] } }`
      .replace('‹missing-key›', '')
      .replace('[{ issuer', '[‹missing-key›{ issuer'),
    `${one}policies: { authenticate: { jwt: [{ issuer: ‹bad-value›a.example, audiences: ‹bad-value›[] }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b] }, { issuer: ‹duplicate-name›https://a, audiences: [c] }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b], algorithms: [RS256, ‹bad-value›HS256, ‹bad-value›none], leeway: ‹bad-value›61s }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b], jwks: { ca: PEM } }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b], jwks: { inline: ‹bad-value›"{}" } }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b], jwks: { inline: '{"keys":[]}', ‹conflicting-keys›url: http://a/ } }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b], jwks: { url: ‹unsafe-url›http://169.254.169.254/ } }] } }`,
    `${one}policies: { authenticate: { apiKeys: [{ id: a, sha256: ‹bad-value›"\${WORD}" }, { id: ‹duplicate-name›a, sha256: ‹plain-secret›${'a1'.repeat(32)} }] } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: ‹plain-http›http://id.example, audiences: [b] }, { issuer: https://b, audiences: [b], jwks: { url: ‹plain-http›http://id.example/ } }, { issuer: http://127.0.0.1:1/, audiences: [b] }] } }`,
    `${one}policies: { authenticate: { apiKeys: [{ id: a, sha256: ‹plain-secret›${'a1'.repeat(32)} }, { id: b, sha256: ‹plain-secret›‹duplicate-name›${'A1'.repeat(32)} }] } }`,
    `${one}policies: { authenticate: { ‹needs-key›mtls: true } }`,
    `${one}policies: { authenticate: { apiKeys: [{ id: a, sha256: ‹plain-secret›${'a1'.repeat(32)} }], ‹needs-key›mcp: {} } }`,
    `${one}policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b] }], mcp: { provider: ‹bad-value›google, resourceMetadata: { scopesSupported: [mcp] } } } }`,
    'backends: { a: { servers: {}, policies: { authenticate: { jwt: [{ issuer: https://a, audiences: [b] }] } } }, b: { servers: {} } }\nagents: { c: { from: [a, ‹conflicting-keys›b] } }',
  ],
  'what they may do': [
    `${one}policies: { authorize: { allow: ['‹cel-unknown-variable›jwtt.x == 1'], deny: ['mcp.‹cel-unknown-variable›tol.name == "a"'], require: ['‹cel-type›mcp.tool.name'] } }`,
    `${one}policies: { authorize: { allow: ['mcp.tool.name == "a" ‹cel-syntax›}'] } }`,
    `${one}agents: { a: { access: '"sre" in jwt.groups' }, b: { access: '‹cel-unknown-variable›mcp.tool.name == "a"' } }`,
    'servers: { a: { http: http://a/, policies: { authorize: { deny: [\'mcp.tool.name == "drop"\'] } } } }',
    `${one}policies: { authorize: { deny: [\n  mcp.tool.name == "a"\n    && ‹cel-unknown-variable›foo ] } }`.replace('\n    ', ' '),
  ],
  'the record': [
    `${one}policies: { ‹missing-key›audit: {} }`,
    `${one}policies: { audit: { sinks: [{ file: a }, ‹missing-key›{}, { stdout: true, ‹conflicting-keys›file: b }] } }`,
    `${one}policies: { audit: { sinks: [{ file: a }, { file: ‹duplicate-name›a }] } }`,
    `${one}policies: { audit: { sinks: [{ file: a }], whenFull: ‹bad-value›wait, redact: [subject, mcp.tool.arguments.password, ‹bad-value›mcp.tool.argument.password, ‹bad-value›"a b"], key: ‹bad-value›"\${SHORT_KEY}" } }`,
    `${one}policies: { audit: { sinks: [{ file: a }] } }\nagents: { a: { policies: { audit: { sinks: [{ file: ‹duplicate-name›a }], chain: false } } } }`,
  ],
  'its own tests': [
    `${one}agents: { a: {} }\ntests: [{ agent: a, tool: math_add, expect: allowed }, { agent: ‹unknown-reference›b, tool: x, expect: ‹bad-value›yes }]`,
    `${one}agents: { a: {} }\ntests: [{ agent: a, claims: {}, ‹conflicting-keys›apiKey: ci, tool: x, expect: hidden }]`,
    `${one}agents: { a: {} }\ntests: [{ agent: a, apiKey: ‹unknown-reference›ci, tool: x, expect: hidden }]`,
  ],
  'not yet': [
    'servers: { a: { ‹not-supported›sse: http://a/sse }, b: { ‹not-supported›command: npx foo }, c: { ‹not-supported›openapi: { url: x } } }',
    'mcpServers: { a: { type: ‹not-supported›sse, url: http://a/sse }, b: { ‹not-supported›command: npx, ‹not-supported›args: [foo], ‹not-supported›env: { A: hunter2 } } }',
    `${one}policies: { ‹not-supported›rateLimit: [] }\n‹not-supported›peers: {}\n‹not-supported›store: { redis: redis://a }`,
    `${one}observe: { ‹not-supported›traces: { otlp: http://a/ }, metrics: { ‹not-supported›otlp: http://a/ } }`,
    'backends: { a: { servers: {}, routing: ‹not-supported›stateless } }\nroutes: [{ name: r, rules: [{ ‹not-supported›filters: [], backends: [{ backend: a }, ‹not-supported›{ backend: a }], timeouts: { ‹not-supported›backendRequest: 1s } }] }]',
    `${one}routes: [{ name: r, rules: [{ matches: [{ path: { type: ‹not-supported›RegularExpression, value: /.* } }], backends: [{ backend: default }] }] }]`,
    `${one}listeners: [{ name: a, port: 1, ‹not-supported›cors: {} }]`,
    'servers: { a: { http: http://a/, policies: { ‹not-supported›authenticate: {}, ‹not-supported›audit: {} } } }',
    'servers: { a: { http: http://a/, ‹not-supported›passHeaders: [X-A] }, b: { http: http://b/, passHeaders: [], credentials: { ‹not-supported›passthrough: true } } }',
  ],
}

describe('parseConfig', () => {
  for (const [title, documents] of Object.entries(table)) {
    it(`names what is wrong, and where: ${title}`, () => {
      for (const marked of documents) {
        const { text, expected } = unmark(marked)
        const { config, problems } = parse(text)
        assert.deepEqual(
          problems.map(({ line, column, code }) => `${line}:${column} ${code}`).sort(),
          expected.sort(),
          `${text}\n${JSON.stringify(problems, undefined, 1)}`,
        )
        assert.equal(
          config === undefined,
          problems.some((problem) => problem.severity === 'error'),
          text,
        )
        for (const problem of problems) assert.ok(problem.hint, `a hint for ${JSON.stringify(problem)}`)
      }
    })
  }

  it('says all problems of a document at once, by place, with paths as written', () => {
    const { problems } = parse(
      'servers:\n  math: ftp://a\n  date: { http: http://169.254.169.254 }\nagents:\n  a: { tools: 7 }\nlisen: 1\n',
    )
    assert.deepEqual(
      problems.map(({ code, path, line }) => `${line} ${code} ${path}`),
      ['2 bad-value servers.math', '3 unsafe-url servers.date.http', '5 wrong-type agents.a.tools', '6 unknown-key lisen'],
    )
  })

  it('looks for shadowed matches as long as there are few places for them', () => {
    const listeners = Array.from({ length: 64 }, (_, index) => ({ name: `l${index}`, port: 2000 + index }))
    const hostnames = Array.from({ length: 32 }, (_, index) => `h${index}.example`)
    // Of 200,000 places 97 matches have room for theirs, whether they are new ones or not.
    const matches = Array.from({ length: 100 }, (_, index) => ({ path: { value: `/${index % 90}` } }))
    const routes = [{ name: 'r', hostnames, rules: [{ matches, backends: [{ backend: 'a' }] }] }]
    const { problems } = parsePlain({ listeners, backends: { a: { servers: {} } }, routes }, { env: {}, readFile: () => '' })
    assert.deepEqual(
      problems.map(({ code, path }) => `${code} ${path}`),
      [90, 91, 92, 93, 94, 95, 96].map((index) => `shadowed-route routes[0].rules[0].matches[${index}]`),
    )
  })

  it('suggests the nearest key', () => {
    for (const [written, meant] of [
      ['lissten', 'listen'],
      ['server', 'servers'],
      ['mcpservers', 'mcpServers'],
      ['agnets', 'agents'],
    ]) {
      assert.equal(
        parse(`${written}: 1\nservers: {}`).problems.find((problem) => problem.code === 'unknown-key')?.hint,
        `did you mean \`${meant}\`?`,
      )
    }
  })

  it('puts references in the place of what they stand for, in the type of their key', () => {
    const { config, problems } = parse(
      'listeners: [{ name: a, port: "${PORT}", insecure: "${YES}" }]\nbackends: { b: { servers: {}, instructions: "${WORD} ${NONE:-x:y} ${EMPTY:-z} $$1 $2 ${file:token}." } }',
    )
    assert.deepEqual(problems, [])
    assert.deepEqual([config?.listeners[0]?.port, config?.listeners[0]?.insecure], [9000, true])
    assert.equal(config?.backends.b?.instructions, 'abc x:y z $1 $2 s3cret.')
  })

  it('does not let a reference add structure or another reference', () => {
    const tricky = { TRICK: '}, b: { servers: {} }, c: ${WORD} ${file:/etc/passwd}' }
    const { config } = parseConfig('backends: { a: { servers: {}, instructions: "${TRICK}" } }', { env: tricky, readFile })
    assert.deepEqual(Object.keys(config?.backends ?? {}), ['a'])
    assert.equal(config?.backends.a?.instructions, tricky.TRICK)
  })

  it('lists the files it refers to, read or not, by their place beside the document', () => {
    const { files: used } = parse(
      'servers: {}\nadmin: { token: "${file:token}" }\nsessions: { keys: [{ id: a, secret: "${file:/run/key}" }, { id: b, secret: "${file:token}" }] }',
    )
    assert.deepEqual(used, ['/etc/mcplex/token', '/run/key'])
  })

  it('reads JSON, tabs and a byte order mark', () => {
    assert.deepEqual(parse('\uFEFF{\n\t"servers": {\n\t\t"math": "http://127.0.0.1:1/mcp"\n\t}\n}').problems, [])
  })

  it('takes names of Kubernetes and secrets as they are only from Kubernetes', () => {
    const text = 'backends: { ns/my.backend: { servers: {} } }\nadmin: { token: abc }'
    assert.deepEqual(parse(text, 'kubernetes').problems, [])
    assert.deepEqual(
      parse(text).problems.map((problem) => problem.code),
      ['bad-name', 'plain-secret'],
    )
  })

  it('takes no address of the proxy’s own for an endpoint from Kubernetes', () => {
    for (const [endpoint, codes] of [
      ['127.0.0.1:80', ['unsafe-url']],
      ['[::1]:80', ['unsafe-url']],
      ['[::ffff:127.0.0.1]:80', ['unsafe-url']],
      ['0.0.0.0:80', ['unsafe-url']],
      ['[::]:80', ['unsafe-url']],
      ['10.244.0.5:80', []],
    ] as const) {
      const server = { http: { host: 'a', port: 80, endpoints: [endpoint] } }
      const { problems } = parse(JSON.stringify({ backends: { 'ns/b': { servers: { a: server } } } }), 'kubernetes')
      assert.deepEqual(
        problems.map(({ code, path }) => [code, path]),
        codes.map((code) => [code, 'backends."ns/b".servers.a.http.endpoints[0]']),
        endpoint,
      )
    }
  })

  const bombs: Readonly<Record<string, string>> = {
    'a billion laughs': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
      .join('\n')}`,
    'an alias to itself': 'servers: &a { math: *a, date: *a }',
    'a merge key that takes in its own map': 'x-a: &a { <<: *a }',
    'a merge key that takes in its own map by a list': 'x-a: &a { <<: [{ <<: *a }] }',
    'deep nesting': '['.repeat(10_000),
    'deep blocks': '- '.repeat(5000),
    'nesting past the bound': `${'['.repeat(80)}${']'.repeat(80)}`,
    'a document over 2 MiB': `servers: {} # ${'x'.repeat(2 * 1024 * 1024)}`,
  }
  for (const [title, text] of Object.entries(bombs)) {
    it(`refuses ${title}`, () => {
      const { config, problems } = parse(text)
      assert.equal(config, undefined)
      assert.ok(
        problems.some((problem) => problem.code === 'too-large'),
        JSON.stringify(problems.slice(0, 3)),
      )
    })
  }
})

describe('a document that was written for Kubernetes', () => {
  const from = { file: '/etc/mcplex/mcplex.yaml', env, readFile }
  const document = (version: object) => ({
    ...version,
    listeners: [{ name: 'http', address: '0.0.0.0', port: 8080, insecure: true }],
    backends: { 'tools/mcp': { servers: { math: { http: { host: 'math.tools.svc', port: 80 } } } } },
    routes: [{ name: 'tools/mcp', rules: [{ backends: [{ backend: 'tools/mcp' }] }] }],
  })
  const version = { 'mcplex.dev/version': '1.2.3' }

  it('is told by its version, wherever it lies, and printed it still is one', () => {
    const { config, problems } = parseConfig(JSON.stringify(document(version)), from)
    assert.deepEqual(problems, [])
    assert.equal(config?.['mcplex.dev/version'], '1.2.3')
    assert.ok(config !== undefined && printConfig(config).startsWith('mcplex.dev/version: 1.2.3\n'))
    assert.deepEqual(parseConfig(printConfig(config), from).config, config)
  })

  it('alone may call things by their namespace', () => {
    const { problems } = parseConfig(JSON.stringify(document({})), from)
    assert.deepEqual([...new Set(problems.map((problem) => problem.code))], ['bad-name'])
  })

  it('is read as a plain value just as it is from its text', () => {
    for (const value of [document(version), { ...document(version), listen: 1 }, { routes: null }, [], 7, undefined]) {
      const plain = parsePlain(value, from)
      const text = parseConfig(JSON.stringify(value) ?? 'null', from)
      assert.deepEqual(plain.config, text.config)
      const said = ({ problems }: typeof plain) => problems.map(({ code, path, hint }) => [code, path, hint]).sort()
      assert.deepEqual(said(plain), said(text))
      assert.ok(plain.problems.every((problem) => problem.line === undefined))
    }
  })
})

describe('what a command line says', () => {
  const parseWith = (text: string, overrides: object) => parseConfig(text, { env, readFile, overrides })

  it('stands in the place of what the document says', () => {
    for (const text of [one, `${one}listen: 1\nobserve: { log: { level: error, format: json } }`, `${one}observe: {}`]) {
      const { config, problems } = parseWith(text, { listen: '127.0.0.2:9', logLevel: 'debug' })
      const { listeners, observe } = config ?? assert.fail(JSON.stringify(problems))
      assert.deepEqual([listeners[0]?.address, listeners[0]?.port, observe.log.level], ['127.0.0.2', 9, 'debug'])
    }
    assert.equal(parseWith(`${one}observe: { log: { format: json } }`, { logLevel: 'debug' }).config?.observe.log.format, 'json')
    assert.equal(parseWith(`${one}listen: 1`, { listen: '8081' }).config?.listeners[0]?.port, 8081)
  })

  it('is checked as the document is', () => {
    const codes = (text: string, overrides: object) => parseWith(text, overrides).problems.map(({ code }) => code)
    assert.deepEqual(codes(one, { listen: 'x y' }), ['bad-value'])
    assert.deepEqual(codes(one, { listen: '0.0.0.0:1' }), ['unsafe-listener'])
    assert.deepEqual(codes(`${one}listeners: [{ name: a, port: 1 }]`, { listen: '1' }), ['conflicting-keys'])
    assert.deepEqual(codes(`${one}observe: 7`, { logLevel: 'debug' }), ['wrong-type'])
  })
})

describe('references that lead to nothing', () => {
  it('are no problem where they may be absent, and all else is checked', () => {
    const lenient = (text: string) => parseConfig(text, { env, readFile, skipsUnresolved: true })
    const whole = lenient(`
listeners: [{ name: a, port: "\${NO_PORT}", protocol: HTTPS, tls: { certificates: [{ cert: "\${file:no.crt}", key: "\${file:no.key}" }] } }]
servers: { a: { http: "\${NO_URL}/mcp", credentials: { header: { A: "\${NO_KEY}" } }, timeouts: { request: "\${NO_TIME}" } } }
sessions: { keys: [{ id: a, secret: "\${NO_SECRET}" }] }
`)
    assert.deepEqual([whole.problems, whole.unresolved], [[], 7])
    assert.deepEqual(
      lenient(`${one}admin: { listen: "\${NO}" }\nlimits: { depth: "\${WORD}", tokens: "\${ }" }`).problems.map(({ code }) => code),
      ['bad-value', 'bad-value'],
    )
  })
})

describe('merge keys', () => {
  const serverOf = (text: string) => {
    const { config, problems, placeOf } = parse(text)
    assert.deepEqual(problems, [])
    return { server: config?.backends['default']?.servers['a'], placeOf }
  }

  it('take in what the map does not say itself, wherever they stand; of several maps the first counts', () => {
    const blocks = 'x-a: &a { era: legacy, ttl: 5s }\nx-b: &b { era: modern, ttl: 7s, timeouts: { request: 9s } }\n'
    for (const own of ['<<: [*a, *b], http: http://a/, ttl: 1s', 'ttl: 1s, http: http://a/, <<: [*a, *b]']) {
      const { server } = serverOf(`${blocks}servers: { a: { ${own} } }`)
      assert.deepEqual([server?.era, server?.ttl, server?.timeouts.request], ['legacy', '1s', '9s'])
    }
    assert.equal(serverOf(`${blocks}x-c: &c { <<: *b, ttl: 3s }\nservers: { a: { <<: *c, http: http://a/ } }`).server?.ttl, '3s')
  })

  it('leave the place of what they bring in where it is written', () => {
    const { placeOf } = serverOf('x-a: &a\n  era: legacy\nservers: { a: { <<: *a, http: http://a/ } }')
    assert.deepEqual(placeOf('backends.default.servers.a.era'), { line: 2, column: 8 })
  })
})

describe('renderProblems', () => {
  it('gives an example where a unit is missing', () => {
    const [problem] = parse('servers: { a: { http: http://a/, timeouts: { request: 5 } } }').problems
    assert.equal(problem?.hint, 'write it with its unit, such as 5s')
  })

  it('shows the place, the line with a caret and the remedy', () => {
    const text = 'servers: {}\nlissten: 8080\n'
    assert.equal(
      renderProblems(parse(text).problems, text, { file: 'mcplex.yaml', color: false }),
      'mcplex.yaml:2:1 error unknown-key: there is no key `lissten` here\n  2 | lissten: 8080\n    | ^\n  hint: did you mean `listen`?\n',
    )
  })

  it('shows the line of what is no YAML, and its keys alone', () => {
    const text = 'servers:\n  math: http://127.0.0.1:1/mcp\n  date: { http: http://a.example/\nagents: {}\n'
    assert.deepEqual(renderProblems(parse(text).problems, text, { file: 'f', color: false }).split('\n').slice(0, 4), [
      'f:4:1 error yaml-syntax: a { or [ is not closed, or what it holds is not indented more than its key',
      '  4 | agents: {}',
      '    | ^',
      '  hint: close it, or indent every line up to the } or ] more than the line where it begins',
    ])
    const tab = 'servers:\n\tmath: http://127.0.0.1:1/mcp\n'
    assert.match(
      renderProblems(parse(tab).problems, tab, { file: 'f', color: false }),
      /^f:2:1 error yaml-syntax: a line is indented with a tab\n {2}2 \| {2}math: [•:/-]+\n {4}\| \^\n {2}hint: indent with spaces/,
    )
  })

  it('does not quote what a URL may hold of credentials', () => {
    const texts = (url: string) => parse(`servers: { a: "${url}" }`).problems.map(({ text }) => text)
    assert.deepEqual(texts('http://u:hunter2@a/mcp?key=hunter2&x=hunter2#f'), ['`http://…@a/mcp?…` holds a user name or password'])
    assert.deepEqual(texts('ftp://a/?key=hunter2'), ['`ftp://a/?…` has the scheme ftp'])
  })

  it('does not show the value of an unknown key that looks like a token', () => {
    const shown = (text: string) => renderProblems(parse(text).problems, text, { file: 'f', color: false }).split('\n')[1]
    assert.equal(shown(`nonsense: SgsCGDCr6ZYNdGF7EHAkAytytiHJr9pf\n${one}`), `  1 | nonsense: ${'•'.repeat(32)}`)
    assert.equal(shown(`nonsense: { a: [eyJhbGciOiJ9.eyJzdWIiOiI2 ] }\n${one}`), `  1 | nonsense: { a: [${'•'.repeat(25)} ] }`)
    assert.equal(shown(`nonsense: http://127.0.0.1:8001/mcp\n${one}`), '  1 | nonsense: http://127.0.0.1:8001/mcp')
  })

  it('keeps the caret under the place in a long line', () => {
    const text = `servers: {}\nagents: { ${Array.from({ length: 40 }, (_, index) => `agent-${index}: { tools: [] }`).join(', ')}, x: { tols: [] } }\n`
    const [, source = '', caret = ''] = renderProblems(parse(text).problems, text, { file: 'f', color: false }).split('\n')
    assert.equal(source.slice(caret.indexOf('^')).slice(0, 4), 'tols')
    assert.ok(source.length < 140)
  })

  it('never shows a literal secret or what a terminal would act on', () => {
    const documents = [
      'servers: {}\nadmin: { token: hunter2, lissten: 1 }',
      'servers: {}\nadmin: { tokn: hunter2, token: { a: hunter2 } }',
      'servers: { a: { http: https://user:hunter2@a.example/, bogus: 1 } }',
      'servers: { a: { http: https://user:hun/hunter2@a.example/, bogus: 1 } }',
      'servers: { a: { http: http://a/, credentials: { header: { A: hunter2 } }, bogus: 1 } }',
      'servers: { a: { http: http://a/, credentials: { exchange: { clientSecret: hunter2 } } } }',
      'servers: {}\nadmin: { token: "hunter2 }\n',
      'servers: {}\nadmin:\n  token: hunter2: x\n',
      'servers: {}\nadmin:\n  token: !hunter2\n',
      'servers: {}\nadmin:\n  token: *hunter2\n',
      'servers: {}\nadmin:\n  token: ]hunter2\n',
      'servers: {}\nadmin:\n  token: |\n    a\n    hunter2\n  bogus: \u001b[31m\n',
      'servers: {}\nadmin: { token: "a\nhunter2: x }\n',
      'servers: {}\nadmin: { token: [a,\nhunter2: x }\n',
      'servers: {}\nsessions:\n  keys:\n  - id: a\n    secret: b\n  - hunter2: c: d\n',
      'servers: {}\nfoo:\n  bar: hunter2: x\n',
      '# hunter2\nservers: { a: b: c\n',
      'servers: {}\nadmin: { token: hunter2\n',
    ]
    for (const text of documents) {
      const { problems } = parse(text)
      const shown = renderProblems(problems, text, { file: 'f', color: false })
      assert.ok(problems.length > 0)
      assert.ok(!shown.includes('hunter2'), shown)
      assert.ok(!shown.includes('\u001b'), shown)
    }
  })
})

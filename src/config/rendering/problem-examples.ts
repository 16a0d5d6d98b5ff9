import type { ProblemCode } from '../problems/problems.ts'

/** A document with one problem, and how it is put right. */
export interface ProblemExample {
  readonly wrong: string
  /** What to do, in general. */
  readonly remedy: string
  /** The document put right. */
  readonly right: string
}

/** Problems that are found only when a document is put in force, so that no document alone shows them. */
export interface RuntimeExample {
  /** What mcplex prints. */
  readonly says: string
  readonly remedy: string
}

type RuntimeCode = 'unwritable-file' | 'selects-nothing' | 'port-in-use' | 'unreachable'

/** Variables that are set for the examples; none of their files is there. */
export const exampleEnv: Readonly<Record<string, string>> = { GITHUB_TOKEN: 'x', CI_KEY_SHA256: 'a1'.repeat(32), ADMIN_TOKEN: 'x' }

const math = 'servers:\n  math: http://127.0.0.1:8001/mcp\n'
const github = (header: string) => `servers:
  github:
    http: https://api.githubcopilot.com/mcp/
    credentials: { header: { Authorization: ${header} } }
`
const agent = (access: string) => `${math}agents:\n  sre: { tools: ["math_*"], access: '${access}' }\n`
const issuer = (jwks: string) => `${math}policies:
  authenticate:
    jwt: [{ issuer: https://id.example, audiences: [https://mcp.example.com/mcp], jwks: { url: ${jwks} } }]
`

/** For each code one document that gives this problem and no other. */
export const problemExamples: Readonly<Record<Exclude<ProblemCode, RuntimeCode>, ProblemExample>> = {
  'yaml-syntax': {
    wrong: 'servers:\n  math: "http://127.0.0.1:8001/mcp\n',
    remedy:
      'The place is where reading could not go on; the fault is often a line or two before: a quote that is not closed, a tab, an indentation that differs.',
    right: math,
  },
  'duplicate-key': {
    wrong: `${math}servers:\n  date: http://127.0.0.1:8002/mcp\n`,
    remedy: 'Keep one of them, with what both hold.',
    right: `${math}  date: http://127.0.0.1:8002/mcp\n`,
  },
  'unknown-key': {
    wrong: `${math}agnets:\n  sre: { tools: ["math_*"] }\n`,
    remedy:
      'Correct the spelling, or look the key up in [configuration](configuration.md). A key is never ignored, as what it was meant to do would be.',
    right: `${math}agents:\n  sre: { tools: ["math_*"] }\n`,
  },
  'missing-key': {
    wrong: `${math}listeners:\n  - { name: web }\n`,
    remedy: 'Write it; the hint says what it is for.',
    right: `${math}listeners:\n  - { name: web, port: 8080 }\n`,
  },
  'wrong-type': {
    wrong: `${math}agents:\n  sre: { tools: math_add }\n`,
    remedy:
      'Write what the key takes. In YAML a text that looks like a number, `true`, or `null` needs quotes to be a text, and a number must have none.',
    right: `${math}agents:\n  sre: { tools: [math_add] }\n`,
  },
  'bad-value': {
    wrong: 'servers:\n  math:\n    http: http://127.0.0.1:8001/mcp\n    timeouts: { request: 5 s }\n',
    remedy: 'The hint says how it is written.',
    right: 'servers:\n  math:\n    http: http://127.0.0.1:8001/mcp\n    timeouts: { request: 5s }\n',
  },
  'bad-name': {
    wrong: 'servers:\n  My_Math: http://127.0.0.1:8001/mcp\n',
    remedy: 'Take the name of the hint or another one: it stands before `_` in the names of the tools.',
    right: 'servers:\n  my-math: http://127.0.0.1:8001/mcp\n',
  },
  'unset-variable': {
    wrong: github('"Bearer ${GITHUB_TOKN}"'),
    remedy:
      'Correct its name, or set it where mcplex runs. A service or a container has an environment of its own, not that of your shell.',
    right: github('"Bearer ${GITHUB_TOKEN}"'),
  },
  'unreadable-file': {
    wrong: `${math}admin: { token: "\${file:admin.token}" }\n`,
    remedy: 'PATH is relative to the folder of the document. The user that mcplex runs as must be able to read it.',
    right: `${math}admin: { token: "\${ADMIN_TOKEN}" }\n`,
  },
  'unknown-reference': {
    wrong: `${math}agents:\n  sre: { tools: ["math_*"] }\ntests:\n- { agent: ops, tool: math_add, expect: allowed }\n`,
    remedy: 'Correct the name, or define what it names.',
    right: `${math}agents:\n  sre: { tools: ["math_*"] }\ntests:\n- { agent: sre, tool: math_add, expect: allowed }\n`,
  },
  'duplicate-name': {
    wrong: `${math}listeners:\n  - { name: web, port: 8080 }\n  - { name: web, port: 8081 }\n`,
    remedy: 'Give each a name, an id, or an address and port of its own.',
    right: `${math}listeners:\n  - { name: web, port: 8080 }\n  - { name: more, port: 8081 }\n`,
  },
  'conflicting-keys': {
    wrong: `${math}listen: 8080\nlisteners:\n  - { name: web, port: 8080 }\n`,
    remedy: 'Keep the one that says what you mean.',
    right: `${math}listeners:\n  - { name: web, port: 8080 }\n`,
  },
  'needs-key': {
    wrong: `${math}policies:\n  authenticate: {}\n`,
    remedy: 'Write what it needs beside it, or leave it out.',
    right: `${math}policies:\n  authenticate:\n    apiKeys: [{ id: ci, sha256: "\${CI_KEY_SHA256}" }]\n`,
  },
  'unsafe-listener': {
    wrong: `${math}listen: 0.0.0.0:8080\n`,
    remedy:
      'Whoever reaches an open listener has the tools and credentials of all your servers. Bind loopback, authenticate, or say that something else decides who comes in ([running mcplex](running.md#who-can-reach-it)).',
    right: `${math}listen: 0.0.0.0:8080\npolicies:\n  authenticate:\n    apiKeys: [{ id: ci, sha256: "\${CI_KEY_SHA256}" }]\n`,
  },
  'unsafe-url': {
    wrong: 'servers:\n  cloud: http://169.254.169.254/mcp\n',
    remedy: 'Nothing behind these addresses is an MCP server, and what they give away are credentials of the machine.',
    right: 'servers:\n  cloud: http://10.0.0.7/mcp\n',
  },
  'cel-syntax': {
    wrong: agent('"sre" in jwt.groups &&'),
    remedy: 'Complete the expression ([rules](rules.md)).',
    right: agent('"sre" in jwt.groups && jwt.sub != "intern"'),
  },
  'cel-unknown-variable': {
    wrong: agent('"sre" in jtw.groups'),
    remedy: 'Correct it: [rules](rules.md) lists what each place knows. `access` knows the caller and the request, but no tool.',
    right: agent('"sre" in jwt.groups'),
  },
  'cel-type': {
    wrong: agent('request.path'),
    remedy: 'Compare it with something.',
    right: agent('request.path == "/mcp/sre"'),
  },
  'too-large': {
    wrong: `servers:\n  a: {http: {url: http://a/, endpoints: [${Array(257).fill('10.0.0.1:80').join(', ')}]}}\n`,
    remedy:
      'The document may have 2 MiB, 64 levels, and what its aliases expand to has a bound too. Of endpoints a server has 256 at most.',
    right: 'servers:\n  a: {http: {url: http://a/, endpoints: [10.0.0.1:80]}}\n',
  },
  'not-supported': {
    wrong: 'mcpServers:\n  files: { command: mcp-server-filesystem }\n',
    remedy:
      'The hint names a way around, where there is one. For a program that speaks over its standard input and output, that is a bridge such as supergateway ([how](first-servers.md#1-two-servers)).',
    right: 'mcpServers:\n  files: { type: http, url: http://127.0.0.1:8002/mcp }\n',
  },
  'plain-secret': {
    wrong: github('Bearer ghp_0123456789'),
    remedy: 'Put it into a variable or a file, and refer to it: a document is shown, shared and kept in repositories.',
    right: github('"Bearer ${GITHUB_TOKEN}"'),
  },
  'plain-http': {
    wrong: issuer('http://id.example/keys'),
    remedy: 'Whoever can change what is on the way could let in anybody: use https.',
    right: issuer('https://id.example/keys'),
  },
  'shadowed-route': {
    wrong: `${math}agents:\n  sre: { path: /mcp, tools: ["math_*"] }\n  all: { path: /mcp, tools: ["*"] }\n`,
    remedy: 'Give each a path of its own, or remove the one that can never be reached.',
    right: `${math}agents:\n  sre: { tools: ["math_*"] }\n  all: { path: /mcp, tools: ["*"] }\n`,
  },
  'names-fold': {
    wrong: 'mcpServers:\n  My_Math: { url: http://127.0.0.1:8001/mcp }\n',
    remedy: 'Nothing has to be done; write the new name to be rid of the warning.',
    right: 'mcpServers:\n  my-math: { url: http://127.0.0.1:8001/mcp }\n',
  },
}

export const runtimeExamples: Readonly<Record<RuntimeCode, RuntimeExample>> = {
  'port-in-use': {
    says: `mcplex.yaml error port-in-use: listener "default": 127.0.0.1:8080 is in use
  hint: end the program that has it, or choose another port: \`listen: 8081\` in the file, or --listen 8081`,
    remedy: 'Write `listen: 8081`, or for the admin listener `admin: { listen: 127.0.0.1:15010 }`.',
  },
  'unwritable-file': {
    says: `mcplex.yaml:3:28 error unwritable-file: records of requests can't be written to /var/log/mcplex/audit.jsonl: its folder is not there (ENOENT)
  3 |   audit: { sinks: [{ file: /var/log/mcplex/audit.jsonl }] }
    |                            ^
  hint: make the folder, or write another path`,
    remedy:
      'A file is opened when its document is put in force, and only where requests would be refused without it: with `whenFull: drop` the log says so, and requests are served.',
  },
  unreachable: {
    says: `unreachable: math can't be reached: connection refused (ECONNREFUSED); nothing listens at 127.0.0.1:8001: start the server, or correct the host and port in its url`,
    remedy:
      'So says `mcplex tools`; `mcplex run` says it in its first words and in the log, and serves the others. What follows the semicolon is the remedy for this way of failing.',
  },
  'selects-nothing': {
    says: '"patterns":["math_ad_*"],"code":"selects-nothing","msg":"patterns match nothing on a server that answers"',
    remedy:
      '`mcplex tools` says what the names are. Patterns are looked at when the servers have answered, so `check`, which asks no server, does not know.',
  },
}

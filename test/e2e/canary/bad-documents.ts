/** A document with a literal secret and something wrong at it or near it. */
export interface BadDocument {
  readonly name: string
  /** What `check` must say. */
  readonly code: string
  readonly text: string
}

/** Mistakes that people make where secrets are; `secret` is the one that stands in each. */
export function badDocuments(secret: string): readonly BadDocument[] {
  const good = 'servers: { a: http://127.0.0.1:1/mcp }\n'
  const authenticate = (text: string) => `${good}policies: { authenticate: ${text} }\n`
  const audit = (text: string) => `${good}policies: { audit: ${text} }\n`
  const pem = `-----BEGIN PRIVATE KEY-----\\n${secret}\\n-----END PRIVATE KEY-----\\n`
  return [
    { name: 'YAML that is broken behind it', code: 'yaml-syntax', text: `${good}admin:\n  token: ${secret}\n  listen: [\n` },
    { name: 'YAML that is broken at it', code: 'yaml-syntax', text: `${good}admin:\n  token: "${secret}\n` },
    { name: 'YAML that is broken on its line', code: 'yaml-syntax', text: `${good}admin: { token: ${secret}, listen: [ }\n` },
    { name: 'a mistyped key', code: 'unknown-key', text: `${good}admin: { tokn: ${secret} }\n` },
    { name: 'a key of another place', code: 'unknown-key', text: `${good}token: ${secret}\n` },
    { name: 'a password that nobody asked for', code: 'unknown-key', text: `${good}admin: { password: ${secret} }\n` },
    { name: 'a mistyped neighbour', code: 'unknown-key', text: `${good}admin: { token: ${secret}, lissten: "127.0.0.1:1" }\n` },
    { name: 'a list in place of it', code: 'wrong-type', text: `${good}admin: { token: [${secret}] }\n` },
    { name: 'it in place of a map', code: 'wrong-type', text: `${good}sessions: { keys: [${secret}] }\n` },
    { name: 'a key that is too short', code: 'bad-value', text: `${good}sessions: { keys: [{ id: a, secret: ${secret} }] }\n` },
    { name: 'a repeated key', code: 'duplicate-key', text: `${good}admin: { token: ${secret}, token: ${secret} }\n` },
    {
      name: 'a header that breaks lines',
      code: 'bad-value',
      text: `servers: { a: { http: "http://127.0.0.1:1/mcp", credentials: { header: { x-key: "${secret}\\nx" } } } }\n`,
    },
    {
      name: 'a header in place of headers',
      code: 'wrong-type',
      text: `servers: { a: { http: "http://127.0.0.1:1/mcp", credentials: { header: "x-key: ${secret}" } } }\n`,
    },
    {
      name: 'headers of a client',
      code: 'wrong-type',
      text: `mcpServers: { a: { url: "http://127.0.0.1:1/mcp", headers: ["Authorization: ${secret}"] } }\n`,
    },
    {
      name: 'an environment',
      code: 'not-supported',
      text: `mcpServers: { a: { command: npx, args: [x], env: { API_KEY: ${secret} } } }\n`,
    },
    { name: 'a user in a URL', code: 'bad-value', text: `servers: { a: "http://user:${secret}@127.0.0.1:1/mcp" }\n` },
    { name: 'a store', code: 'not-supported', text: `${good}store: { redis: "redis://:${secret}@127.0.0.1:1" }\n` },
    {
      name: 'credentials of a later version',
      code: 'not-supported',
      text: `servers: { a: { http: "http://127.0.0.1:1/mcp", credentials: { clientCredentials: { clientId: a, clientSecret: ${secret} } } } }\n`,
    },
    { name: 'a key in place of its digest', code: 'bad-value', text: authenticate(`{ apiKeys: [{ id: bot, sha256: ${secret} }] }`) },
    { name: 'a key beside its digest', code: 'unknown-key', text: authenticate(`{ apiKeys: [{ id: bot, key: ${secret} }] }`) },
    { name: 'a key without a name', code: 'missing-key', text: authenticate(`{ apiKeys: [{ sha256: ${secret} }] }`) },
    { name: 'a digest key that is none', code: 'bad-value', text: audit(`{ sinks: [{ stdout: true }], key: ${secret} }`) },
    {
      name: 'a header of a sink',
      code: 'bad-value',
      text: audit(`{ sinks: [{ http: { url: "http://127.0.0.1:1/", headers: { x-key: "${secret}\\r\\nx: y" } } }] }`),
    },
    { name: 'a mistyped digest key', code: 'unknown-key', text: audit(`{ sinks: [{ stdout: true }], keey: ${secret} }`) },
    {
      name: 'a private key in place of a certificate',
      code: 'wrong-type',
      text: `servers: { a: { http: { url: "https://127.0.0.1:1/mcp", tls: { key: ["${pem}"], cert: x } } } }\n`,
    },
    {
      name: "a listener's key without its certificate",
      code: 'missing-key',
      text: `listeners: [{ name: a, port: 1, protocol: HTTPS, tls: { certificates: [{ key: "${pem}" }] } }]\n`,
    },
    {
      name: 'a rule with it that is none',
      code: 'cel-syntax',
      text: `${good}policies: { authorize: { deny: ['jwt.sub == '] } }\nadmin: { token: ${secret} }\n`,
    },
  ]
}

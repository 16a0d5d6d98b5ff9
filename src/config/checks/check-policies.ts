import { isDeepStrictEqual } from 'node:util'
import type { Audit, Authenticate, Config, Listener, Policies } from '../model/model.ts'
import { authenticationOn } from '../model/model.ts'
import type { Path } from '../tree/tree.ts'
import { isLoopback } from '../values/values.ts'
import type { Report } from './checking.ts'

/** Checks policies against each other and against the rest of the document. */
export function checkPolicies(config: Config, report: Report): void {
  const places = placesOf(config)
  for (const { path, policies } of places) {
    if (policies.authenticate !== undefined) checkAuthenticate(config, policies.authenticate, [...path, 'authenticate'], report)
  }
  checkAgents(config, report)
  checkAuditFiles(places, report)
  checkTests(config, places, report)
}

/** Whether every caller of a listener must authenticate; with `optional` anonymous callers are let in. */
export function isAuthenticated(config: Config, listener: Listener): boolean {
  const routes = config.routes.filter((route) => route.listeners === undefined || route.listeners.includes(listener.name))
  const ways = routes.flatMap((route) => route.rules.map((rule) => ({ listener, route, rule })))
  // A rule that refuses every request needs no authentication.
  const open = ways.filter(({ rule }) => rule.backends.some((to) => to.refuse === undefined))
  if (open.length === 0) return authenticationOn(config, { listener })?.settings.mode === 'strict'
  return open.every((way) => authenticationOn(config, way)?.settings.mode === 'strict')
}

interface PlacedPolicies {
  readonly path: Path
  readonly policies: Policies
}

function placesOf(config: Config): readonly PlacedPolicies[] {
  const found: PlacedPolicies[] = []
  const add = (path: Path, policies: Policies | undefined) => {
    if (policies !== undefined) found.push({ path: [...path, 'policies'], policies })
  }
  add([], config.policies)
  for (const [i, listener] of config.listeners.entries()) add(['listeners', i], listener.policies)
  for (const [i, route] of config.routes.entries()) {
    add(['routes', i], route.policies)
    for (const [at, rule] of route.rules.entries()) add(['routes', i, 'rules', at], rule.policies)
  }
  for (const [name, backend] of Object.entries(config.backends)) add(['backends', name], backend.policies)
  for (const [name, agent] of Object.entries(config.agents)) add(['agents', name], agent.policies)
  return found
}

function checkAuthenticate(config: Config, { jwt, apiKeys, mtls, mcp }: Authenticate, here: Path, report: Report): void {
  if (jwt.length === 0 && apiKeys.length === 0 && !mtls)
    report('needs-key', here, 'value', 'it names no way to prove who one is', 'write `jwt`, `apiKeys` or `mtls: true`')
  if (mcp !== undefined && jwt.length === 0)
    report('needs-key', [...here, 'mcp'], 'key', 'there is no issuer of tokens to log in at', 'write `jwt` beside it')
  if (mtls && !config.listeners.some((listener) => listener.tls?.clientCa !== undefined))
    report(
      'needs-key',
      [...here, 'mtls'],
      'key',
      'no listener has a `tls.clientCa`',
      'write it for the listener that callers with certificates use',
    )
  duplicates(
    jwt,
    ({ issuer }) => issuer,
    (index, issuer) =>
      report('duplicate-name', [...here, 'jwt', index, 'issuer'], 'value', `the issuer \`${issuer}\` is there already`, 'join the two'),
  )
  // In a cluster this is up to the authors of the objects.
  if (config['mcplex.dev/version'] === undefined) checkIssuerUrls(jwt, here, report)
  duplicates(
    apiKeys,
    ({ sha256 }) => sha256.toLowerCase(),
    (index) => report('duplicate-name', [...here, 'apiKeys', index, 'sha256'], 'value', 'this key is there already', 'give each its own'),
  )
  duplicates(
    apiKeys,
    ({ id }) => id,
    (index, id) =>
      report(
        'duplicate-name',
        [...here, 'apiKeys', index, 'id'],
        'value',
        `a key is called \`${id}\` already`,
        'give each key an id of its own',
      ),
  )
}

/** Warns of issuers that are reached without TLS: anybody on the network path could replace the issuer's keys. */
function checkIssuerUrls(jwt: Authenticate['jwt'], here: Path, report: Report): void {
  for (const [index, { issuer, jwks }] of jwt.entries()) {
    const [url, at] = jwks?.url === undefined ? [jwks?.inline === undefined ? issuer : '', ['issuer']] : [jwks.url, ['jwks', 'url']]
    if (!url.startsWith('http:') || isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''))) continue
    const text = 'the keys of an issuer come without TLS: whoever is on the way can change them'
    report('plain-http', [...here, 'jwt', index, ...at], 'value', text, 'write https://')
  }
}

function duplicates<T>(list: readonly T[], keyOf: (one: T) => string, tell: (index: number, key: string) => void): void {
  const seen = new Set<string>()
  for (const [index, one] of list.entries()) {
    const key = keyOf(one)
    if (seen.has(key)) tell(index, key)
    seen.add(key)
  }
}

/** Checks the backends of an agent without `authenticate`: it takes theirs, so they must not differ. */
function checkAgents(config: Config, report: Report): void {
  for (const [name, agent] of Object.entries(config.agents)) {
    if (agent.policies?.authenticate !== undefined || agent.from.length < 2) continue
    const [first, ...others] = agent.from.map((from) => config.backends[from]?.policies?.authenticate)
    const at = others.findIndex((other) => !isDeepStrictEqual(other, first))
    if (at < 0) continue
    const text = `backends \`${agent.from[0]}\` and \`${agent.from[at + 1]}\` authenticate callers differently`
    report('conflicting-keys', ['agents', name, 'from', at + 1], 'value', text, 'write `policies.authenticate` for the agent itself')
  }
}

/** Checks that no two `audit` settings write to the same file, since each writes a chain of its own. */
function checkAuditFiles(places: readonly PlacedPolicies[], report: Report): void {
  const owners = new Map<string, Audit>()
  for (const { path, policies } of places) {
    const { audit } = policies
    if (audit === undefined) continue
    for (const [index, { file }] of audit.sinks.entries()) {
      if (file === undefined) continue
      const owner = owners.get(file)
      owners.set(file, audit)
      if (owner === undefined || (owner !== audit && isDeepStrictEqual(owner, audit))) continue
      const place = [...path, 'audit', 'sinks', index, 'file']
      report('duplicate-name', place, 'value', `another record is written to ${file}`, 'give each record a file of its own')
    }
  }
}

function checkTests(config: Config, places: readonly PlacedPolicies[], report: Report): void {
  const keys = new Set(places.flatMap(({ policies }) => policies.authenticate?.apiKeys.map(({ id }) => id) ?? []))
  for (const [index, test] of config.tests.entries()) {
    const here: Path = ['tests', index]
    if (!Object.hasOwn(config.agents, test.agent)) {
      const known = Object.keys(config.agents)
      const hint = known.length === 0 ? 'define an agent of that name' : `known: ${known.slice(0, 20).join(', ')}`
      report('unknown-reference', [...here, 'agent'], 'value', `there is no agent \`${test.agent}\``, hint)
    }
    if (test.apiKey === undefined) continue
    if (test.claims !== undefined)
      report('conflicting-keys', [...here, 'apiKey'], 'key', "`apiKey` can't stand beside `claims`", 'keep one of the two')
    if (!keys.has(test.apiKey))
      report('unknown-reference', [...here, 'apiKey'], 'value', `there is no API key \`${test.apiKey}\``, 'write the `id` of one')
  }
}

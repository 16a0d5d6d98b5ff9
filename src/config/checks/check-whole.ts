import type { Config, HttpTarget, Match, Rule } from '../model/model.ts'
import type { Path } from '../tree/tree.ts'
import { formatAddress, hostFault, isLoopback, parseAddress, sizeBytes } from '../values/values.ts'
import { checkListenerTls } from './check-listener-tls.ts'
import { checkPolicies, isAuthenticated } from './check-policies.ts'
import type { Report } from './checking.ts'

/** Checks the parts of a Config, each of which is valid by itself, against each other. Paths are those of the long form. */
export function checkWhole(config: Config, report: Report): void {
  checkListeners(config, report)
  checkListenerTls(config, report)
  checkRoutes(config, report)
  checkShadows(config, report)
  checkAgents(config, report)
  checkTargets(config, report)
  checkKeys(config, report)
  checkLimits(config, report)
  checkPolicies(config, report)
}

/** Checks that ids of session keys are unique, since keys are found by their id. */
function checkKeys(config: Config, report: Report): void {
  const ids = new Set<string>()
  for (const [index, { id }] of config.sessions.keys.entries()) {
    if (ids.has(id))
      duplicate(report, ['sessions', 'keys', index, 'id'], `a key is called \`${id}\` already`, 'give each key an id of its own')
    ids.add(id)
  }
}

/** Checks that there is room for one answer of the largest size. */
function checkLimits({ limits: { answer, buffered } }: Config, report: Report): void {
  if (buffered === undefined || sizeBytes(buffered) >= sizeBytes(answer)) return
  const text = `${buffered} is less than \`limits.answer\` (${answer}), so one answer could not be held`
  report('bad-value', ['limits', 'buffered'], 'value', text, 'write several times `limits.answer`, or leave it out')
}

function checkListeners(config: Config, report: Report): void {
  const names = new Set<string>()
  const sockets = new Map<string, string>()
  for (const [index, listener] of config.listeners.entries()) {
    const here = ['listeners', index]
    if (names.has(listener.name))
      duplicate(report, [...here, 'name'], `a listener is called \`${listener.name}\` already`, 'give it a name of its own')
    names.add(listener.name)
    const address = formatAddress({ host: listener.address, port: listener.port })
    const socket = `${address} ${listener.hostname ?? ''}`
    const other = listener.port === 0 ? undefined : sockets.get(socket)
    if (other !== undefined) {
      duplicate(
        report,
        [...here, 'port'],
        `listener \`${other}\` has ${address} already`,
        'take another port, or give both different hostnames',
      )
    }
    sockets.set(socket, listener.name)
    if (!listener.insecure && !isLoopback(listener.address) && !isAuthenticated(config, listener)) {
      const text = `${address} can be reached by other machines, and nothing authenticates callers`
      report(
        'unsafe-listener',
        [...here, 'address'],
        'value',
        text,
        'bind 127.0.0.1, write `policies.authenticate`, or write a listener with `insecure: true` to have it open',
      )
    }
  }
  checkOwnListeners(config, report)
}

/** Checks the admin and health listeners, which share no socket with another listener. */
function checkOwnListeners(config: Config, report: Report): void {
  const taken = new Map(
    config.listeners.map((listener) => [formatAddress({ host: listener.address, port: listener.port }), `listener \`${listener.name}\``]),
  )
  for (const name of ['admin', 'health'] as const) {
    const address = parseAddress(config[name].listen)
    if (address === undefined) continue
    const text = formatAddress(address)
    const other = address.port === 0 ? undefined : taken.get(text)
    if (other !== undefined) duplicate(report, [name, 'listen'], `${other} has ${text} already`, 'take another port')
    taken.set(text, `\`${name}\``)
    if (name === 'admin' && !isLoopback(address.host) && config.admin.token === undefined) {
      report(
        'unsafe-listener',
        ['admin', 'listen'],
        'value',
        `${text} can be reached by other machines without a token`,
        'bind 127.0.0.1, or set `admin.token`',
      )
    }
  }
}

function checkRoutes(config: Config, report: Report): void {
  const names = new Set<string>()
  const listeners = new Set(config.listeners.map((listener) => listener.name))
  for (const [index, route] of config.routes.entries()) {
    const here = ['routes', index]
    if (names.has(route.name))
      duplicate(report, [...here, 'name'], `a route is called \`${route.name}\` already`, 'give it a name of its own')
    names.add(route.name)
    for (const [at, name] of (route.listeners ?? []).entries()) {
      if (!listeners.has(name)) unknown(report, [...here, 'listeners', at], 'listener', name, [...listeners])
    }
    for (const [at, rule] of route.rules.entries()) checkBackends(config, rule, [...here, 'rules', at, 'backends'], report)
  }
}

function checkBackends(config: Config, rule: Rule, here: Path, report: Report): void {
  for (const [index, { backend, agent }] of rule.backends.entries()) {
    if (backend !== undefined && !Object.hasOwn(config.backends, backend)) {
      unknown(report, [...here, index, 'backend'], 'backend', backend, Object.keys(config.backends))
    }
    if (agent !== undefined && !Object.hasOwn(config.agents, agent)) {
      unknown(report, [...here, index, 'agent'], 'agent', agent, Object.keys(config.agents))
    }
  }
}

/**
 * How many pairs of a listener and a hostname are compared for all matches together: a document could have more than memory and time allow.
 */
const maxPlaces = 200_000

/**
 * Reports matches that can never be reached: on each of their listeners and for each of their hostnames an equal one comes first. After
 * `maxPlaces` comparisons nothing more is checked.
 */
function checkShadows(config: Config, report: Report): void {
  const listenerNumbers = new Map(config.listeners.map(({ name }, index) => [name, index]))
  const hostnameNumbers = new Map<string, number>()
  /** By the JSON text of a match, which is the same for equal ones. */
  const seen = new Map<string, Set<number>>()
  let left = maxPlaces
  for (const [index, route] of config.routes.entries()) {
    const listeners = (route.listeners ?? [...listenerNumbers.keys()]).flatMap((name) => listenerNumbers.get(name) ?? [])
    const hostnames = (route.hostnames.length === 0 ? ['*'] : route.hostnames).map((hostname) => numberOf(hostname, hostnameNumbers))
    for (const [at, rule] of route.rules.entries()) {
      for (const [which, match] of rule.matches.entries()) {
        left -= Math.max(1, listeners.length * hostnames.length)
        if (left < 0) return
        const text = canonical(match)
        const before = seen.get(text) ?? new Set()
        seen.set(text, before)
        const size = before.size
        for (const hostname of hostnames) for (const listener of listeners) before.add(hostname * listenerNumbers.size + listener)
        if (before.size > size || listeners.length === 0) continue
        report(
          'shadowed-route',
          ['routes', index, 'rules', at, 'matches', which],
          'value',
          `an earlier rule matches the same (${match.path.value}), so this is never reached`,
          'remove it, or match something else',
        )
      }
    }
  }
}

function numberOf(text: string, numbers: Map<string, number>): number {
  const known = numbers.get(text)
  if (known === undefined) numbers.set(text, numbers.size)
  return known ?? numbers.size - 1
}

function canonical(match: Match): string {
  const { type, value } = match.path
  const path = type === 'PathPrefix' ? value.replace(/\/+$/, '') : value
  const pairs = (list: Match['headers'], fold: boolean): readonly string[] =>
    list.map((one) => JSON.stringify([fold ? one.name.toLowerCase() : one.name, one.type, one.value])).sort()
  return JSON.stringify([type, path, match.method, pairs(match.headers, true), pairs(match.queryParams, false)])
}

function checkAgents(config: Config, report: Report): void {
  for (const [name, agent] of Object.entries(config.agents)) {
    const servers = new Map<string, string>()
    for (const [index, from] of agent.from.entries()) {
      const here = ['agents', name, 'from', index]
      const backend = Object.hasOwn(config.backends, from) ? config.backends[from] : undefined
      if (backend === undefined) {
        unknown(report, here, 'backend', from, Object.keys(config.backends))
        continue
      }
      for (const server of Object.keys(backend.servers)) {
        const other = servers.get(server)
        if (other !== undefined) {
          const text =
            other === from
              ? `backend \`${from}\` is there already`
              : `backends \`${other}\` and \`${from}\` both have a server \`${server}\``
          duplicate(report, here, text, other === from ? 'name it once' : 'call one of the servers otherwise')
          break
        }
        servers.set(server, from)
      }
    }
  }
}

function checkTargets(config: Config, report: Report): void {
  for (const [name, backend] of Object.entries(config.backends)) {
    for (const [server, { http }] of Object.entries(backend.servers)) {
      if (http !== undefined) checkTarget(http, ['backends', name, 'servers', server, 'http'], report)
    }
  }
}

const maxEndpoints = 256

function checkTarget(target: HttpTarget, here: Path, report: Report): void {
  const { endpoints = [] } = target
  if (endpoints.length > maxEndpoints) {
    const text = `there are ${endpoints.length} endpoints`
    report('too-large', [...here, 'endpoints'], 'value', text, `list ${maxEndpoints} at most; the host leads to the others`)
  }
  if (target.url !== undefined) {
    if (target.tls !== undefined && target.url.startsWith('http:')) {
      report('conflicting-keys', [...here, 'tls'], 'key', '`tls` has no effect on an http:// URL', 'write https://, or leave `tls` out')
    }
    return
  }
  if (target.host === undefined || target.port === undefined) return
  const fault = hostFault(target)
  if (fault !== undefined) report(fault.code, [...here, 'host'], 'value', `\`${target.host}\` ${fault.text}`, fault.hint)
}

function duplicate(report: Report, path: Path, text: string, hint: string): void {
  report('duplicate-name', path, 'value', text, hint)
}

function unknown(report: Report, path: Path, what: string, name: string, known: readonly string[]): void {
  const hint = known.length === 0 ? `define a ${what} of that name` : `known: ${known.slice(0, 20).join(', ')}`
  report('unknown-reference', path, 'value', `there is no ${what} \`${name}\``, hint)
}

import type { Config, Match, Route, Rule } from '../../config/config.ts'
import type { Head } from '../../mcp/mcp.ts'
import { hostnameRank, isHostnameMatch } from './hostnames.ts'

/** One match of a rule with what decides its rank; `target` is what the rule leads to. */
export interface RouteEntry<T> {
  readonly route: Route
  readonly rule: Rule
  readonly match: Match
  readonly hostname: string | undefined
  readonly target: T
}

/**
 * All matches of a Config in the Gateway API's order of precedence (HTTPRouteRule.matches): hostname, exact path, longest prefix,
 * method, number of headers, number of query parameters, then the document's order.
 */
export function compileRoutes<T>(config: Config, targetOf: (route: Route, rule: Rule, index: number) => T): readonly RouteEntry<T>[] {
  const entries = config.routes.flatMap((route) =>
    route.rules.flatMap((rule, index) => {
      const target = targetOf(route, rule, index)
      const hostnames = route.hostnames.length === 0 ? [undefined] : route.hostnames
      return hostnames.flatMap((hostname) => rule.matches.map((match) => ({ route, rule, match, hostname, target })))
    }),
  )
  return entries.toSorted(
    (a, b) =>
      hostnameRank(b.hostname) - hostnameRank(a.hostname) ||
      pathRank(b.match) - pathRank(a.match) ||
      Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
      b.match.headers.length - a.match.headers.length ||
      b.match.queryParams.length - a.match.queryParams.length,
  )
}

/** The first entry that matches a request's head on a listener. */
export function findRoute<T>(entries: readonly RouteEntry<T>[], listener: string, host: string, head: Head): RouteEntry<T> | undefined {
  for (const entry of entries) {
    const { listeners } = entry.route
    if (listeners !== undefined && !listeners.includes(listener)) continue
    if (entry.hostname !== undefined && !isHostnameMatch(entry.hostname, host)) continue
    if (isMatch(entry.match, head)) return entry
  }
  return undefined
}

function pathRank(match: Match): number {
  return match.path.type === 'Exact' ? 1_000_000 : match.path.value.length
}

function isMatch(match: Match, head: Head): boolean {
  return (
    isPathMatch(match.path, head.path) &&
    (match.method === undefined || match.method === head.method) &&
    match.headers.every((header) => head.header(header.name.toLowerCase()) === header.value) &&
    (match.queryParams.length === 0 || areParamsMatch(match.queryParams, new URLSearchParams(head.query)))
  )
}

function areParamsMatch(wanted: Match['queryParams'], sent: URLSearchParams): boolean {
  return wanted.every((param) => sent.get(param.name) === param.value)
}

/** Prefixes match whole path elements (Gateway API, PathMatchPathPrefix). */
function isPathMatch(path: Match['path'], sent: string): boolean {
  if (path.type === 'Exact') return sent === path.value
  const prefix = path.value.endsWith('/') ? path.value.slice(0, -1) : path.value
  return sent.startsWith(prefix) && (sent.length === prefix.length || sent.charCodeAt(prefix.length) === 0x2f)
}

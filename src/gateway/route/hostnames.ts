/** `*.example.com` is any name below example.com, of one or more labels (Gateway API, Hostname). */
export function isHostnameMatch(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
}

/** More specific names first: exact before wildcard, then longer before shorter. */
export function hostnameRank(hostname: string | undefined): number {
  if (hostname === undefined) return 0
  return hostname.startsWith('*.') ? hostname.length : 1000 + hostname.length
}

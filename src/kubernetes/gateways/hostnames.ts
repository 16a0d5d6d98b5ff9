import { isIPv4 } from 'node:net'
import type { Fault } from '../objects/objects.ts'

/** The fault of an IP address in the place of a hostname: the Gateway API forbids it, though its CustomResourceDefinitions do not. */
export function ipFaults(hostname: unknown, place: string, reason: string): readonly Fault[] {
  if (typeof hostname !== 'string' || !isIPv4(hostname)) return []
  return [{ reason, message: `${place}: ${hostname} is an address: write a name, or none to take any` }]
}

/**
 * Whether some host matches both hostnames (Gateway API, Hostname). Each may be a wildcard, is in lower case, and matches every host where
 * it is undefined.
 */
export function areIntersecting(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || isCovering(one, other) || isCovering(other, one)
}

function isCovering(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1)))
}

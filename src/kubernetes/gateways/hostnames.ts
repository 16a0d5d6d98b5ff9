import { isIPv4 } from 'node:net'
import type { Fault } from '../objects/objects.ts'

/** An address is no hostname of the Gateway API, though its definitions let it through. */
export function ipFaults(hostname: unknown, place: string, reason: string): readonly Fault[] {
  if (typeof hostname !== 'string' || !isIPv4(hostname)) return []
  return [{ reason, message: `${place}: ${hostname} is an address: write a name, or none to take any` }]
}

/** Whether some host is taken by both, each of which may be a wildcard; an absent one takes all. Lower case. Gateway API, Hostname. */
export function areIntersecting(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || isCovering(one, other) || isCovering(other, one)
}

function isCovering(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1)))
}

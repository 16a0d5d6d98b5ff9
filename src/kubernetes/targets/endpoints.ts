import { type Finding, finding, type Raw } from '../objects/objects.ts'
import type { Services } from '../services/services.ts'

/** Of one server. */
const maxEndpoints = 64

/** Where a host leads, as targets are read. */
interface Leading {
  readonly host: string
  readonly service: string | undefined
  readonly others: readonly string[]
  readonly port: number | undefined
  /** Where the host is written. */
  readonly place: string
}

/**
 * What the pods behind a host add to a server's `http`: their addresses, where they are known. A Service that lists addresses that no pod
 * has is not served at all: its own name leads there as well.
 */
export function readEndpoints(
  { host, service, others, port, place }: Leading,
  services: Services,
): { readonly http: Raw; readonly findings: readonly Finding[] } {
  const strays = [...(service === undefined ? [] : [service]), ...others].flatMap((key) => {
    const address = services.strayOf(key)
    return address === undefined
      ? []
      : [`${place}: an EndpointSlice of Service ${key} lists ${address}, which is no pod's: take it out there`]
  })
  if (strays.length > 0) return { http: {}, findings: strays.map((message) => finding('part', 'Invalid', message)) }
  const endpoints = service === undefined ? [] : services.endpointsBehind(host, service, port)
  const message = `${place}: of the ready pods of Service ${service} only ${maxEndpoints} are used: make several Services`
  return {
    http: endpoints.length === 0 ? {} : { endpoints: endpoints.slice(0, maxEndpoints) },
    findings: endpoints.length > maxEndpoints ? [finding('nothing', 'TooMany', message)] : [],
  }
}

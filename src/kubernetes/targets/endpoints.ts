import { type Finding, finding, type Raw } from '../objects/objects.ts'
import type { Services } from '../services/services.ts'

/** Endpoints of one server. */
const maxEndpoints = 64

/** Where the host of a target leads. */
interface Leading {
  readonly host: string
  readonly service: string | undefined
  readonly others: readonly string[]
  readonly port: number | undefined
  /** The place of the host in the object. */
  readonly place: string
}

/**
 * What a server's `http` has of the pods behind its host: their addresses, where they are known. A Service whose EndpointSlices have an
 * address that can't be a pod's is not served at all, as connecting to its name may lead there as well.
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

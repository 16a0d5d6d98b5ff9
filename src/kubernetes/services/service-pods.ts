import { isIP } from 'node:net'
import { type KubeObject, listAt, numberAt, textAt, valueAt } from '../objects/objects.ts'
import { isPodAddress, readAddress } from './pod-address.ts'

/** The pods behind a Service, as its EndpointSlices list them. */
export interface ServicePods {
  /** Whether any pod is ready, whatever its address and ports. */
  readonly isReady: boolean
  /** The first, sorted as text, of the listed addresses that can't be a pod's; those of endpoints that are not ready count too. */
  readonly stray: string | undefined
  readonly ready: readonly ReadyPod[]
}

/** A pod that is ready, with its first address. */
export interface ReadyPod {
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  /** Its TCP ports. */
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[]
}

/** Reads the EndpointSlices of one Service. */
export function readServicePods(slices: readonly KubeObject[]): ServicePods {
  const read = slices.map((slice) => ({ slice, endpoints: listAt(slice, 'endpoints').map(readEndpoint) }))
  const all = read.flatMap(({ endpoints }) => endpoints)
  const strays = all.flatMap(({ addresses }) => addresses.filter((address) => address !== undefined && !isPodAddress(address)))
  return {
    isReady: all.some((endpoint) => endpoint.isReady),
    stray: strays.sort()[0],
    ready: read.flatMap(({ slice, endpoints }) => readyIn(slice, endpoints)),
  }
}

interface Endpoint {
  /** Also true where the condition is absent (EndpointConditions). */
  readonly isReady: boolean
  /** Undefined for each that is no IP address. */
  readonly addresses: readonly (string | undefined)[]
}

function readEndpoint(endpoint: unknown): Endpoint {
  return { isReady: valueAt(endpoint, 'conditions', 'ready') !== false, addresses: listAt(endpoint, 'addresses').map(readAddress) }
}

function readyIn(slice: KubeObject, endpoints: readonly Endpoint[]): readonly ReadyPod[] {
  const family = valueAt(slice, 'addressType')
  if (family !== 'IPv4' && family !== 'IPv6') return []
  const ports = listAt(slice, 'ports').flatMap((one) => {
    const port = numberAt(one, 'port')
    return port !== undefined && isPort(port) && isTcp(one) ? [{ name: textAt(one, 'name'), port }] : []
  })
  // Consumers use the first address of an endpoint only (discovery.k8s.io/v1, Endpoint.addresses).
  return endpoints.flatMap(({ isReady, addresses: [address] }) =>
    isReady && address !== undefined && isIP(address) === (family === 'IPv4' ? 4 : 6) ? [{ family, address, ports }] : [],
  )
}

/** Whether a number is one of a TCP port. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

/** Whether a port of a Service or an EndpointSlice uses TCP, which is the default. */
export function isTcp(port: unknown): boolean {
  return (valueAt(port, 'protocol') ?? 'TCP') === 'TCP'
}

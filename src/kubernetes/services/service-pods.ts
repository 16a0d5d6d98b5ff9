import { isIP } from 'node:net'
import { type KubeObject, listAt, numberAt, textAt, valueAt } from '../objects/objects.ts'
import { isPodAddress, readAddress } from './pod-address.ts'

/** What the EndpointSlices of one Service say of the pods behind it. */
export interface ServicePods {
  /** Whether any is ready, whatever its address and ports. */
  readonly isReady: boolean
  /** The first, as text, of the addresses that are listed though no pod has them, of pods that are not ready too. */
  readonly stray: string | undefined
  readonly ready: readonly ReadyPod[]
}

export interface ReadyPod {
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  /** For TCP. */
  readonly ports: readonly { readonly name: string | undefined; readonly port: number }[]
}

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
  /** Also where nothing is known of it (EndpointConditions). */
  readonly isReady: boolean
  /** Undefined for each that is none. */
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
  // What further addresses of an endpoint mean is not defined.
  return endpoints.flatMap(({ isReady, addresses: [address] }) =>
    isReady && address !== undefined && isIP(address) === (family === 'IPv4' ? 4 : 6) ? [{ family, address, ports }] : [],
  )
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

/** Of a port of a Service or an EndpointSlice. */
export function isTcp(port: unknown): boolean {
  return (valueAt(port, 'protocol') ?? 'TCP') === 'TCP'
}

import { compare, type KubeObject, listAt, textAt, valueAt } from '../objects/objects.ts'
import { readAddress } from '../services/services.ts'

/** Where a proxy of a Gateway can be asked. */
export interface ProxyAddress {
  readonly address: string
  /** Whether it is ready to serve, as far as is known. */
  readonly isReady: boolean
}

/** The most addresses of one Gateway, the first in their order. */
const maxOfGateway = 1000

/**
 * The pods in the EndpointSlices of a Gateway's headless Service, also those that are not ready, but not those that are terminating.
 * @param isAskable whether a request may go to an address
 */
export function readProxyAddresses(slices: readonly KubeObject[], isAskable: (address: string) => boolean): readonly ProxyAddress[] {
  const found = new Map<string, boolean>()
  for (const slice of slices) {
    if (textAt(slice, 'addressType') === 'FQDN') continue
    for (const endpoint of listAt(slice, 'endpoints')) {
      const conditions = valueAt(endpoint, 'conditions')
      // Consumers use the first address of an endpoint only (discovery.k8s.io/v1, Endpoint.addresses).
      const address = readAddress(listAt(endpoint, 'addresses')[0])
      if (address === undefined || valueAt(conditions, 'terminating') === true || !isAskable(address)) continue
      // The Service publishes addresses of pods that are not ready, with conditions that say so.
      const isReady = (valueAt(conditions, 'serving') ?? valueAt(conditions, 'ready')) !== false
      found.set(address, isReady || found.get(address) === true)
    }
  }
  return [...found]
    .sort(([one], [other]) => compare(one, other))
    .slice(0, maxOfGateway)
    .map(([address, isReady]) => ({ address, isReady }))
}

import { compare, type KubeObject, listAt, textAt, valueAt } from '../objects/objects.ts'
import { readAddress } from '../services/services.ts'

/** Where a proxy of a Gateway can be asked. */
export interface ProxyAddress {
  readonly address: string
  /** Whether it serves, as far as is known. */
  readonly isReady: boolean
}

/** Of one Gateway at most so many are known, the first by address: a Deployment has no more replicas. */
const maxOfGateway = 1000

/**
 * The pods that the EndpointSlices of a Gateway's headless Service list, those that are not ready too, but none that is about to end.
 * @param isAskable whether a request may go to an address
 */
export function readProxyAddresses(slices: readonly KubeObject[], isAskable: (address: string) => boolean): readonly ProxyAddress[] {
  const found = new Map<string, boolean>()
  for (const slice of slices) {
    if (textAt(slice, 'addressType') === 'FQDN') continue
    for (const endpoint of listAt(slice, 'endpoints')) {
      const conditions = valueAt(endpoint, 'conditions')
      // What further addresses mean is not defined.
      const address = readAddress(listAt(endpoint, 'addresses')[0])
      if (address === undefined || valueAt(conditions, 'terminating') === true || !isAskable(address)) continue
      // The Service publishes what is not ready, and calls it so.
      const isReady = (valueAt(conditions, 'serving') ?? valueAt(conditions, 'ready')) !== false
      found.set(address, isReady || found.get(address) === true)
    }
  }
  return [...found]
    .sort(([one], [other]) => compare(one, other))
    .slice(0, maxOfGateway)
    .map(([address, isReady]) => ({ address, isReady }))
}

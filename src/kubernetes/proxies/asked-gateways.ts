import { isOwn, type KubeObject, nameKey, namesFor, type ObjectRef, rawAt, refOf, slimToMetadata, textAt } from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'
import { serviceOf } from '../services/services.ts'
import type { AskedGateway } from './followed-gateway.ts'
import { type ProxyAddress, readProxyAddresses } from './proxy-addresses.ts'

/** Where the proxies of Gateways are looked up. */
export interface AskedSources {
  readonly slices: Iterable<KubeObject>
  readonly findSecret: (ref: ObjectRef) => KubeObject | undefined
  /** Whether a request may go to an address. */
  readonly isAskable: (address: string) => boolean
}

/** What is known of the proxies of these Gateways, by `ns/name`. The token of a Secret that is not ours is never used. */
export function askedGateways(plans: readonly GatewayPlan[], { slices, findSecret, isAskable }: AskedSources): Map<string, AskedGateway> {
  const peers = new Set(plans.map(peersOf))
  const ofPeers = Map.groupBy(
    [...slices].filter((slice) => peers.has(serviceOf(slice))),
    serviceOf,
  )
  return new Map(
    plans.map((plan) => {
      const desired = plan.objects.find(({ kind }) => kind === 'Secret')
      const found = desired === undefined ? undefined : findSecret(refOf(desired))
      const secret = found !== undefined && desired !== undefined && isOwn(found, desired) ? found : undefined
      const addresses: readonly ProxyAddress[] = readProxyAddresses(ofPeers.get(peersOf(plan)) ?? [], isAskable)
      return [
        nameKey(plan),
        {
          digest: plan.digest,
          document: plan.document ?? {},
          version: secret?.metadata.resourceVersion,
          token: textAt(secret, 'token'),
          addresses,
        },
      ]
    }),
  )
}

/** The headless Service of a Gateway's proxies, as `ns/name`. */
export function peersOf({ namespace, name }: Pick<GatewayPlan, 'namespace' | 'name'>): string {
  return nameKey({ namespace, name: namesFor(name).peers })
}

/** What is kept of a Gateway's own Secret: its metadata and, as `token`, the token of the proxies' admin listener. */
export function slimToToken(value: unknown): KubeObject | undefined {
  const object = slimToMetadata(value)
  const token = Buffer.from(textAt(rawAt(value, 'data'), 'admin.token') ?? '', 'base64').toString()
  // Any other text can't be sent in a header.
  return object === undefined || !/^[\x21-\x7e]{1,512}$/.test(token) ? object : { ...object, token }
}

import {
  type Fault,
  gatewayGroup,
  type KubeObject,
  listAt,
  numberAt,
  type ObjectRef,
  type Raw,
  rawAt,
  refOf,
  textAt,
  titleOf,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { WrittenListener } from './written-listener.ts'

/**
 * What is wrong with a listener's references to certificates (Gateway API, ListenerTLSConfig). Whether the Secrets exist is not checked
 * while listeners with TLS are not served.
 */
export function certificateFaults({ place, protocol, raw }: WrittenListener, gateway: KubeObject, world: World): readonly Fault[] {
  const tls = rawAt(raw, 'tls')
  const isTerminating = (protocol === 'HTTPS' || protocol === 'TLS') && (textAt(tls, 'mode') ?? 'Terminate') === 'Terminate'
  if (!isTerminating) return []
  const refs = listAt(tls, 'certificateRefs')
  if (refs.length === 0)
    return [{ reason: 'InvalidCertificateRef', message: `${place}.tls.certificateRefs names no certificate: name a Secret` }]
  return refs.flatMap((ref, index) => refFaults(ref, `${place}.tls.certificateRefs[${index}]`, gateway, world))
}

function refFaults(raw: unknown, place: string, gateway: KubeObject, world: World): readonly Fault[] {
  const from = refOf(gateway)
  const name = textAt(raw, 'name')
  if ((valueAt(raw, 'group') ?? '') !== '' || (valueAt(raw, 'kind') ?? 'Secret') !== 'Secret')
    return [{ reason: 'InvalidCertificateRef', message: `${place} is not a Secret: name one` }]
  if (name === undefined) return [{ reason: 'InvalidCertificateRef', message: `${place} has no name: name a Secret` }]
  const to: ObjectRef = { group: '', kind: 'Secret', namespace: textAt(raw, 'namespace') ?? from.namespace, name }
  if (world.isAllowed({ group: gatewayGroup, kind: 'Gateway', namespace: from.namespace }, to)) return []
  const message = `${place}: ${titleOf(to)} may not be named from here: a ReferenceGrant in ${to.namespace} must allow Gateways of ${from.namespace}`
  return [{ reason: 'RefNotPermitted', message }]
}

/**
 * The fault of a listener whose clients must show a certificate (Gateway API, FrontendTLSConfig): it may not be served without that check.
 */
export function clientCertificateFaults({ protocol, port }: WrittenListener, frontend: Raw): readonly Fault[] {
  if (protocol !== 'HTTPS') return []
  const own = listAt(frontend, 'perPort').findIndex((one) => numberAt(one, 'port') === port)
  const place = own < 0 ? 'spec.tls.frontend.default' : `spec.tls.frontend.perPort[${own}].tls`
  const validation = own < 0 ? valueAt(frontend, 'default', 'validation') : valueAt(listAt(frontend, 'perPort')[own], 'tls', 'validation')
  if (validation === undefined) return []
  const message = `${place}.validation: certificates of clients are not checked yet: do it before mcplex`
  return [{ reason: 'UnsupportedValue', message }]
}

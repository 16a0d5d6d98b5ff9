import { type GatewayView, type ListenerView, servedPorts } from '../gateways/gateways.ts'
import {
  type Condition,
  conditionsOf,
  type DesiredStatus,
  type Fault,
  isFalse,
  isTrue,
  judged,
  type KubeObject,
  listAt,
  messagesOf,
  nameKey,
  type Raw,
  textAt,
  valueAt,
} from '../objects/objects.ts'
import { isKept, lookAtPods, nobodyReported, programmedBefore, type Serving, servedText, unservedText, whyUnserved } from './serving.ts'

/** What a Gateway's status is made from, beside the Gateway itself. */
export interface GatewayState {
  readonly accepted: Condition
  /** The Service by which clients reach it: its name, and the object if it exists. */
  readonly service: { readonly name: string; readonly object: KubeObject | undefined }
  /** Why the objects that it needs could not be written. */
  readonly provisioning: string | undefined
  /** Listeners that policies close, by name, with the policy and why. */
  readonly closed: ReadonlyMap<string, string>
  /** A sentence on who may call. */
  readonly callers: string
  readonly serving: Serving
  /** The number of accepted routes that attach to a listener. */
  attached(listener: string): number
}

/**
 * The condition Accepted of a Gateway. It is True even where only some of its listeners are served (Gateway API,
 * GatewayReasonListenersNotValid).
 */
export function acceptanceOf({ faults, listeners, remarks }: GatewayView, documentFault: Fault | undefined): Condition {
  const own = documentFault === undefined ? faults : [...faults, documentFault]
  if (own.length > 0) return judged('Accepted', [...own, ...remarks], { reason: '', message: '' })
  const said = (text: string): string => [text, ...remarks.map((remark) => remark.message)].join('; ')
  const bad = listeners.filter(({ fragment }) => fragment === undefined)
  if (bad.length === 0 && listeners.length > 0) return isTrue('Accepted', 'Accepted', said('all its listeners are served'))
  const why = bad.map((listener) => `${listener.name} (${messagesOf(acceptanceFaults(listener)) || 'see its conditions'})`).join(', ')
  if (bad.length < listeners.length) return isTrue('Accepted', 'ListenersNotValid', said(`not all its listeners are served: ${why}`))
  const text = listeners.length === 0 ? 'it has no listeners: write at least one under spec.listeners' : `no listener can be served: ${why}`
  return isFalse('Accepted', 'ListenersNotValid', said(text))
}

/** The status of a Gateway (Gateway API, GatewayStatus). */
export function statusOfGateway(gateway: GatewayView, state: GatewayState): DesiredStatus {
  const { object } = gateway
  const addresses = addressesOf(state.service.object)
  const programmed = programmedOf(gateway, state, addresses)
  const listeners = new Map(
    gateway.listeners.map((listener) => [listener.name, statusOfListener(object, listener, state, programmed)] as const),
  )
  return {
    kind: 'whole',
    object,
    status: {
      // An empty list, too, so that addresses of a previous controller are removed.
      addresses,
      conditions: conditionsOf(object, [state.accepted, programmed]),
      listeners: [...listeners.values()],
    },
  }
}

function statusOfListener(object: KubeObject, listener: ListenerView, state: GatewayState, programmed: Condition): Raw {
  const { name, supportedKinds, faults } = listener
  return {
    name,
    supportedKinds,
    attachedRoutes: state.attached(name),
    conditions: conditionsOf(object, [
      judged('Accepted', acceptanceFaults(listener), { reason: 'Accepted', message: 'the listener is valid' }),
      programmedListener(listener, object, state, programmed),
      judged('ResolvedRefs', faults.ResolvedRefs, { reason: 'ResolvedRefs', message: resolvedText(listener) }),
      conflictedOf(faults.Conflicted),
    ]),
  }
}

function resolvedText({ protocol }: ListenerView): string {
  const isUnseen = protocol === 'HTTPS' || protocol === 'TLS'
  return isUnseen ? `whether its certificates are there is not looked at while ${protocol} is not served` : 'all that it names is there'
}

/** Why a listener is not Accepted: conflicts with others count, as such a listener is not served either. */
function acceptanceFaults({ faults }: ListenerView): readonly Fault[] {
  return [...faults.Accepted, ...faults.Conflicted]
}

/** The condition Conflicted of a listener, which is False where all is well. */
function conflictedOf(faults: readonly Fault[]): Condition {
  const [first] = faults
  return first === undefined
    ? isFalse('Conflicted', 'NoConflicts', 'no other listener wants the same')
    : isTrue('Conflicted', first.reason, messagesOf(faults))
}

const servedListener = 'a proxy serves it'
const nobodyServes = 'no proxy has reported that it serves it'

function isServed(name: string, object: KubeObject, serving: Serving): boolean {
  const before = listAt(object, 'status', 'listeners').find((one) => textAt(one, 'name') === name)
  return serving.serving > 0 || (isKept(serving) && programmedBefore(object, before) === servedListener)
}

function programmedListener({ name, fragment }: ListenerView, object: KubeObject, state: GatewayState, programmed: Condition): Condition {
  const closed = state.closed.get(name)
  if (fragment === undefined) return isFalse('Programmed', 'Invalid', "it is not served: see its other conditions, and the Gateway's")
  if (closed !== undefined) return isFalse('Programmed', 'Invalid', `all its requests are refused: ${closed}`)
  // Whether it has an address is a matter of the Gateway's own condition (Gateway API, ListenerConditionProgrammed).
  if (programmed.reason !== 'Invalid' && isServed(name, object, state.serving)) return isTrue('Programmed', 'Programmed', servedListener)
  if (programmed.reason !== 'Invalid' && state.serving.reports !== undefined) {
    const { noPods } = state.serving
    return isFalse('Programmed', 'Pending', noPods === undefined ? `${nobodyServes}. ${lookAtPods(object)}` : `${nobodyServes}: ${noPods}`)
  }
  return isFalse('Programmed', programmed.reason === 'Invalid' ? 'Invalid' : 'Pending', `as the Gateway itself: ${programmed.reason}`)
}

function programmedOf(gateway: GatewayView, state: GatewayState, addresses: readonly Raw[]): Condition {
  // Messages end with a command that can be copied, so who may call stands first.
  const not = (reason: string, message: string): Condition => isFalse('Programmed', reason, `${state.callers}; ${message}`)
  if (state.accepted.status !== 'True')
    return not('Invalid', 'it is not accepted: what was made for it before stays as it was, and serves what can be served')
  if (state.provisioning !== undefined) return not('NoResources', state.provisioning)
  const { namespace = '' } = gateway.object.metadata
  if (addresses.length === 0) {
    const title = `Service ${nameKey({ namespace, name: state.service.name })}`
    const [port] = servedPorts(gateway)
    const forward = `kubectl port-forward -n ${namespace} svc/${state.service.name} ${port !== undefined && port < 1024 ? `8080:${port}` : port}`
    const isServing = gateway.listeners.some(({ name }) => isServed(name, gateway.object, state.serving))
    const unserved = state.serving.reports === undefined || isServing ? '' : `, and ${whyUnserved(state.serving)}`
    return not('AddressNotAssigned', `${title} has no address yet${unserved}. Where the cluster has no load balancer: ${forward}`)
  }
  const { serving } = state
  if (serving.reports === undefined) return not('Pending', nobodyReported)
  const before = isKept(serving) ? programmedBefore(gateway.object, valueAt(gateway.object, 'status')) : undefined
  // Only a message of ours is kept, and only if it says who may call now.
  if (before?.startsWith(`${state.callers}; `)) return isTrue('Programmed', 'Programmed', before)
  if (serving.serving > 0) return isTrue('Programmed', 'Programmed', `${state.callers}; ${servedText(serving)}`)
  return not('Pending', unservedText(serving, gateway.object, state.service.name))
}

/** The most addresses of a Gateway's status (Gateway API, GatewayStatus.addresses). */
const maxAddresses = 16

function addressesOf(service: KubeObject | undefined): readonly Raw[] {
  const balanced = listAt(service, 'status', 'loadBalancer', 'ingress').flatMap((entry): Raw[] => {
    const ip = textAt(entry, 'ip')
    const hostname = textAt(entry, 'hostname')
    if (ip !== undefined) return [{ type: 'IPAddress', value: ip }]
    return hostname === undefined ? [] : [{ type: 'Hostname', value: hostname }]
  })
  const isInside = ['ClusterIP', 'NodePort'].includes(textAt(service, 'spec', 'type') ?? '')
  const own = isInside ? listAt(service, 'spec', 'clusterIPs').filter((ip) => typeof ip === 'string' && ip !== 'None') : []
  return [...balanced, ...own.map((value) => ({ type: 'IPAddress', value }))].slice(0, maxAddresses)
}

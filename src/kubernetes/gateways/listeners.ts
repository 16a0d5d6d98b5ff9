import { faultOf, fragmentErrors } from '../fragments/fragments.ts'
import {
  type Fault,
  isRaw,
  type KubeObject,
  numberAt,
  ownPorts,
  type Raw,
  rawAt,
  shallow,
  textAt,
  unknownMembers,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { type AllowedRoutes, readAllowedRoutes } from './allowed-routes.ts'
import type { ListenerView } from './gateway-view.ts'
import { ipFaults } from './hostnames.ts'
import { certificateFaults, clientCertificateFaults } from './listener-certificates.ts'
import { conflictsAmong } from './listener-conflicts.ts'
import type { WrittenListener } from './written-listener.ts'

const reservedPorts: readonly number[] = Object.values(ownPorts)

/** Reads the listeners of a Gateway, and what is wrong with the list of them (Gateway API, Listener). */
export function readListeners(
  gateway: KubeObject,
  world: World,
): { readonly listeners: readonly ListenerView[]; readonly faults: readonly Fault[] } {
  const list = valueAt(gateway, 'spec', 'listeners') ?? []
  if (!Array.isArray(list)) return { listeners: [], faults: [invalid('spec.listeners', 'is not a list')] }
  const written = list.flatMap((raw, index) => readWritten(raw, `spec.listeners[${index}]`))
  const named = [...new Map([...written].reverse().map((listener) => [listener.name, listener])).values()].reverse()
  const faults = list.flatMap((raw, index) => nameFaults(raw, `spec.listeners[${index}]`, named))
  const conflictsOf = conflictsAmong(named)
  return { listeners: named.map((listener) => viewOf(listener, gateway, world, conflictsOf(listener))), faults }
}

function readWritten(raw: unknown, place: string): readonly WrittenListener[] {
  const name = textAt(raw, 'name')
  if (!isRaw(raw) || name === undefined) return []
  return [
    {
      place,
      raw,
      name,
      port: numberAt(raw, 'port'),
      protocol: textAt(raw, 'protocol') ?? '',
      hostname: textAt(raw, 'hostname')?.toLowerCase(),
    },
  ]
}

/** Listeners without a name, or with another one's name. The API server refuses them, but a file may have them. */
function nameFaults(raw: unknown, place: string, named: readonly WrittenListener[]): readonly Fault[] {
  const name = textAt(raw, 'name')
  if (name === undefined) return [invalid(place, 'has no name: give it one')]
  const first = named.find((listener) => listener.name === name)
  return first === undefined || first.place === place ? [] : [invalid(`${place}.name`, `is that of ${first.place} too: change it`)]
}

function viewOf(listener: WrittenListener, gateway: KubeObject, world: World, conflicts: readonly Fault[]): ListenerView {
  const allowed = readAllowedRoutes(listener, gateway, world)
  const document = documentOf(listener)
  const accepted = acceptedFaults(listener, gateway, document, allowed)
  return {
    name: listener.name,
    port: listener.port ?? 0,
    protocol: listener.protocol,
    hostname: listener.hostname,
    fragment: accepted.length + conflicts.length === 0 ? document : undefined,
    refusal: allowed.refusal,
    supportedKinds: allowed.supportedKinds,
    isAcceptingRoutes: allowed.supportedKinds.length > 0,
    faults: {
      Accepted: accepted,
      ResolvedRefs: [...certificateFaults(listener, gateway, world), ...allowed.kindFaults],
      Conflicted: conflicts,
    },
  }
}

/** The listener as the document has it. Values of a wrong type stay as they are, so that `fragmentErrors` reports them. */
function documentOf({ name, raw, hostname }: WrittenListener): Raw {
  const host = hostname ?? valueAt(raw, 'hostname') ?? ''
  return {
    name,
    address: '0.0.0.0',
    port: shallow(valueAt(raw, 'port')),
    protocol: 'HTTP',
    ...(host === '' ? {} : { hostname: shallow(host) }),
    insecure: true,
  }
}

function acceptedFaults(listener: WrittenListener, gateway: KubeObject, document: Raw, allowed: AllowedRoutes): readonly Fault[] {
  const { place, raw, port, protocol } = listener
  return [
    ...protocolFaults(listener),
    ...(port !== undefined && reservedPorts.includes(port) ? [ownPort(place, port)] : []),
    ...(port === 0 ? [invalid(`${place}.port`, 'is 0: write one from 1 to 65535')] : []),
    ...fragmentErrors({ listeners: [document] }).map((problem) =>
      faultOf(problem, problem.path.replace(/^listeners\[0\]/, place), 'Invalid'),
    ),
    ...ipFaults(listener.hostname, `${place}.hostname`, 'Invalid'),
    ...allowed.faults,
    ...(protocol === 'HTTP' && valueAt(raw, 'tls') !== undefined
      ? [invalid(`${place}.tls`, 'has no place with protocol HTTP: leave it out')]
      : []),
    ...clientCertificateFaults(listener, rawAt(gateway, 'spec', 'tls', 'frontend')),
    ...unknownMembers(raw, ['name', 'hostname', 'port', 'protocol', 'tls', 'allowedRoutes']).map((name) => ({
      reason: 'UnsupportedValue',
      message: `${place}.${name} is not known to this version of mcplex: leave it out`,
    })),
  ]
}

function protocolFaults({ place, protocol }: WrittenListener): readonly Fault[] {
  if (protocol === 'HTTP') return []
  const remedy = protocol === 'HTTPS' ? 'terminate TLS before mcplex, and write HTTP here' : 'write HTTP here'
  const said = protocol === '' ? 'what it says' : protocol
  return [{ reason: 'UnsupportedProtocol', message: `${place}.protocol: ${said} is not served yet: ${remedy}` }]
}

function ownPort(place: string, port: number): Fault {
  return { reason: 'PortUnavailable', message: `${place}.port: mcplex itself uses ${port} in its pods: take another` }
}

function invalid(place: string, text: string): Fault {
  return { reason: 'Invalid', message: `${place} ${text}` }
}

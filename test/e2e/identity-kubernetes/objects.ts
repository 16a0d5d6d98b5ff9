import { parse } from 'yaml'
import { type Agent, agents } from '../identity/office.ts'
import type { Manifest } from '../kubernetes/manifests.ts'
import type { Person, Proof } from './proofs.ts'

export type Raw = Readonly<Record<string, unknown>>

export const home = 'office'
export const gatewayName = 'front'
export const gatewayPort = 8080
/** Below `/mcp/`: the agents, and all that the servers have. */
export type Door = Agent | 'everything'

export function object(apiVersion: string, kind: string, name: string, body: Raw): Manifest {
  return { apiVersion, kind, metadata: { name, namespace: home }, ...body }
}

export const gatewayApi = 'gateway.networking.k8s.io'
export const agentgateway = 'agentgateway.dev'
const backend = { group: agentgateway, kind: 'AgentgatewayBackend', name: 'office' }

/** A Gateway with an address in the cluster, the servers behind it, and the way to each door. */
export function standing(servers: Readonly<Record<string, URL>>): readonly Manifest[] {
  const targets = Object.entries(servers).map(([name, { hostname, port, pathname }]) => ({
    name,
    static: { host: hostname, port: Number(port), path: pathname, protocol: 'StreamableHTTP' },
  }))
  return [
    object('mcplex.dev/v1alpha1', 'GatewayParameters', 'inside', { spec: { service: { type: 'ClusterIP' } } }),
    object(`${gatewayApi}/v1`, 'Gateway', gatewayName, {
      spec: {
        gatewayClassName: 'mcplex',
        infrastructure: { parametersRef: { group: 'mcplex.dev', kind: 'GatewayParameters', name: 'inside' } },
        listeners: [{ name: 'http', port: gatewayPort, protocol: 'HTTP' }],
      },
    }),
    object(`${agentgateway}/v1alpha1`, 'AgentgatewayBackend', backend.name, { spec: { mcp: { targets } } }),
    route('sre', { group: 'mcplex.dev', kind: 'Agent', name: 'sre' }),
    route('accountant', { group: 'mcplex.dev', kind: 'Agent', name: 'accountant' }),
    route('everything', backend),
  ]
}

function route(door: Door, backendRef: Raw): Manifest {
  const rules = [{ matches: [{ path: { type: 'PathPrefix', value: `/mcp/${door}` } }], backendRefs: [backendRef] }]
  return object(`${gatewayApi}/v1`, 'HTTPRoute', door, { spec: { parentRefs: [{ name: gatewayName }], rules } })
}

/** Who is who, as rules find it out. */
export const isOne: Readonly<Record<Proof['kind'], Readonly<Record<Person, string>>>> = {
  token: { sre: '"sre" in jwt.groups', accountant: '"accounting" in jwt.groups', admin: '"admins" in jwt.groups' },
  key: { sre: 'apiKey.id == "sre"', accountant: 'apiKey.id == "accountant"', admin: 'apiKey.team == "admins"' },
}

/** The agents: of what they select the denials take a tool each, so that neither does it alone. */
export function agentsFor({ kind }: Proof): readonly Manifest[] {
  return (['sre', 'accountant'] as const).map((name) => {
    const selected: readonly string[] = parse(`[${agents[name].selects}]`)
    const spec = {
      backendRefs: [{ kind: backend.kind, name: backend.name }],
      tools: selected.filter((pattern) => !pattern.startsWith('!')),
      access: isOne[kind][name],
    }
    return object('mcplex.dev/v1alpha1', 'Agent', name, { spec })
  })
}

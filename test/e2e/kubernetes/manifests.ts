import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { home, postFile } from './scene.ts'

/** An object as a user writes it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace?: string }
  readonly [member: string]: unknown
}

export type Raw = Readonly<Record<string, unknown>>

/** The post's objects, each with other members in its spec. */
export const [gateway, route, backend] = (['gateway', 'httproute', 'backend'] as const).map((name) => {
  const object: Manifest & { readonly spec: Raw } = parse(readFileSync(postFile(name), 'utf8'))
  return (spec: Raw = {}): Manifest => ({ ...object, spec: { ...object.spec, ...spec } })
}) as [(spec?: Raw) => Manifest, (spec?: Raw) => Manifest, (spec?: Raw) => Manifest]

/** An object of the post's namespace, or another. */
export function object(apiVersion: string, kind: string, name: string, body: Raw, namespace = home): Manifest {
  return { apiVersion, kind, metadata: { name, namespace }, ...body }
}

/** The post's listener. */
export const http = { name: 'http', port: 8080, protocol: 'HTTP' }
/** The Gateway with these listeners. */
export const listeners = (...list: readonly Raw[]): Manifest => gateway({ listeners: list })

export const kgateway = 'gateway.kgateway.dev'
/** The post's backendRef. */
export const toBackend = { group: kgateway, kind: 'Backend', name: 'mcp-backend' }
/** The HTTPRoute with this parentRef, these rules, or one rule with these backendRefs. */
export const parents = (parent: Raw): Manifest => route({ parentRefs: [{ name: 'agentgateway', ...parent }] })
export const rules = (...list: readonly Raw[]): Manifest => route({ rules: list })
export const to = (...backendRefs: readonly Raw[]): Manifest => rules({ backendRefs })

/** A target whose server is the post's. */
export const math = { name: 'math', static: { host: 'mcp-math-server.default.svc.cluster.local', port: 80 } }
/** The Backend with these targets. */
export const targets = (...list: readonly Raw[]): Manifest => backend({ mcp: { targets: list } })

/** Of what is in another namespace. */
export const away = 'elsewhere'
export const backendAway = object(
  `${kgateway}/v1alpha1`,
  'Backend',
  'mcp-backend',
  { spec: { type: 'MCP', mcp: { targets: [math] } } },
  away,
)
/** Lets HTTPRoutes of the post's namespace name Backends there. */
export const grant = object(
  'gateway.networking.k8s.io/v1beta1',
  'ReferenceGrant',
  'routes',
  {
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: home }],
      to: [{ group: kgateway, kind: 'Backend' }],
    },
  },
  away,
)

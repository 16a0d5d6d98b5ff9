import type { Manifest } from './admin-api.ts'

/** A Gateway of our class with one HTTP listener. */
export function gateway(namespace: string, name: string, spec: Readonly<Record<string, unknown>> = {}): Manifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }], ...spec },
  }
}

/** An HTTPRoute that leads from a Gateway of its namespace to a kgateway Backend there. */
export function route(namespace: string, name: string, { to, backend, path }: { to: string; backend: string; path: string }): Manifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: {
      parentRefs: [{ name: to }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          backendRefs: [{ group: 'gateway.kgateway.dev', kind: 'Backend', name: backend }],
        },
      ],
    },
  }
}

/** A kgateway Backend of MCP servers by these hosts, at port 80. */
export function backend(namespace: string, name: string, hosts: readonly string[]): Manifest {
  const targets = hosts.map((host, index) => ({ name: `server-${index}`, static: { host, port: 80, protocol: 'StreamableHTTP' } }))
  return {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'Backend',
    metadata: { name, namespace },
    spec: { type: 'MCP', mcp: { targets } },
  }
}

import type { KubeObject, Raw, Settings } from './model.ts'
import type { ProvisionedNames } from './provisioned-names.ts'

export interface PodSource {
  /** The Gateway. */
  readonly object: KubeObject
  readonly names: ProvisionedNames
  readonly selector: Readonly<Record<string, string>>
  /** The ports of its listeners. */
  readonly served: readonly number[]
  readonly settings: Settings
}

/** Those that a proxy listens on beside its Gateway's. */
export const ownPorts = { admin: 15_000, peers: 15_001, health: 15_021 } as const

const uid = 10_101
/** A little more than a proxy takes to finish what is in flight. */
const graceSeconds = 30

/** The pod that serves a Gateway: within the restricted Pod Security Standard, though it may listen on ports below 1024. */
export function proxyPod({ object, names, selector, served, settings }: PodSource): Raw {
  const spread = (topologyKey: string): Raw => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selector },
  })
  return {
    serviceAccountName: names.config,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      fsGroup: uid,
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    },
    ...(settings.imagePullSecrets.length === 0 ? {} : { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) }),
    topologySpreadConstraints: [spread('kubernetes.io/hostname'), spread('topology.kubernetes.io/zone')],
    containers: [
      {
        name: 'mcplex',
        image: settings.image,
        args: ['run', '--config', `secret:${object.metadata.namespace ?? ''}/${names.config}`],
        ports: [
          ...served.map((port) => portOf(`port-${port}`, port)),
          ...Object.entries(ownPorts).map(([name, port]) => portOf(name, port)),
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 5 },
        livenessProbe: { httpGet: { path: '/healthz', port: 'health' }, periodSeconds: 10, initialDelaySeconds: 10 },
        resources: { requests: { cpu: '100m', memory: '128Mi' } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'last-good', mountPath: '/var/lib/mcplex' }],
      },
    ],
    volumes: [{ name: 'last-good', emptyDir: {} }],
  }
}

function portOf(name: string, containerPort: number): Raw {
  return { name, containerPort, protocol: 'TCP' }
}

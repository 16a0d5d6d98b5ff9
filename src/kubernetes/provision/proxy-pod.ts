import { type KubeObject, ownPorts, type ProvisionedNames, type Raw, rawAt, type Settings, valueAt } from '../objects/objects.ts'

export interface PodSource {
  /** The Gateway. */
  readonly object: KubeObject
  readonly names: ProvisionedNames
  readonly selector: Readonly<Record<string, string>>
  /** As its view has them. */
  readonly parameters: Raw
  readonly settings: Settings
}

const uid = 10_101
/** As long as clients and load balancers take to turn elsewhere once a pod is told to stop. */
const drainDelaySeconds = 5
/** A little more than that, and than a proxy takes to finish what is in flight. */
const graceSeconds = 40
/** In memory, as a document holds credentials; it survives the container, not the pod. */
const lastGood = { name: 'last-good', path: '/var/lib/mcplex', size: '16Mi' } as const
/** What a pod asks for of what its parameters neither request nor limit. */
const usualRequests: Raw = { cpu: '100m', memory: '128Mi' }

/**
 * The pod that serves a Gateway: within the restricted Pod Security Standard, though it may listen on ports below 1024. Nothing of what is
 * served is in it, as another pod would be started for each change of that.
 */
export function proxyPod({ object, names, selector, parameters, settings }: PodSource): Raw {
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
    ...picked(parameters, ['nodeSelector', 'tolerations', 'priorityClassName']),
    containers: [
      {
        name: 'mcplex',
        image: settings.image,
        args: [
          'run',
          ...['--config', `secret:${object.metadata.namespace ?? ''}/${names.config}`],
          ...['--last-good', lastGood.path],
          ...['--drain-delay', `${drainDelaySeconds}s`],
        ],
        ports: Object.entries(ownPorts).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })),
        // It waits for its Secret by itself. A container that has run for ten minutes is started again without delay.
        startupProbe: probe('/healthz', { periodSeconds: 1, failureThreshold: 900 }),
        // Twice, as one slow answer is no reason to send everything elsewhere; and sooner than the delay before a drain is over.
        readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 2 }),
        livenessProbe: probe('/healthz', { periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 5 }),
        resources: resourcesOf(rawAt(parameters, 'resources')),
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: lastGood.name, mountPath: lastGood.path }],
      },
    ],
    volumes: [{ name: lastGood.name, emptyDir: { medium: 'Memory', sizeLimit: lastGood.size } }],
  }
}

/** The members of these names that are there. */
export function picked(from: Raw, names: readonly string[]): Raw {
  return Object.fromEntries(names.flatMap((name) => (valueAt(from, name) === undefined ? [] : [[name, valueAt(from, name)]])))
}

/** What has a limit and no request gets that as its request from the API server. */
function resourcesOf(wished: Raw): Raw {
  const [requests, limits] = [rawAt(wished, 'requests'), rawAt(wished, 'limits')]
  const usual = Object.entries(usualRequests).filter(([name]) => !Object.hasOwn(limits, name))
  return { requests: { ...Object.fromEntries(usual), ...requests }, ...picked(wished, ['limits']) }
}

function probe(path: string, pace: Raw): Raw {
  return { httpGet: { path, port: 'health' }, ...pace }
}

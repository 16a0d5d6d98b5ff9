import { type KubeObject, ownPorts, type ProvisionedNames, type Raw, rawAt, type Settings, valueAt } from '../objects/objects.ts'

/** What a pod is made from. */
export interface PodSource {
  /** The Gateway. */
  readonly object: KubeObject
  readonly names: ProvisionedNames
  readonly selector: Readonly<Record<string, string>>
  /** Its parameters over those of its class. */
  readonly parameters: Raw
  readonly settings: Settings
}

const uid = 10_101
/** How long a pod that is told to stop goes on serving, until clients and load balancers have turned elsewhere. */
const drainDelaySeconds = 5
/** A little more than that delay and the time in which a proxy finishes the requests in flight. */
const graceSeconds = 40
/**
 * The volume for the last good document. It is in memory, as documents have credentials, and is lost with the pod but not with the
 * container.
 */
const lastGood = { name: 'last-good', path: '/var/lib/mcplex', size: '16Mi' } as const
/** Requests of a pod for resources that its parameters neither request nor limit. */
const usualRequests: Raw = { cpu: '100m', memory: '128Mi' }

/**
 * The template of the pods that serve a Gateway. It keeps to the restricted Pod Security Standard, and may listen on ports below 1024. Nothing
 * in it depends on what is served, as each change would start new pods.
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
        // The proxy waits for its Secret itself. After ten minutes a container that is restarted starts without a back-off.
        startupProbe: probe('/healthz', { periodSeconds: 1, failureThreshold: 900 }),
        // Two failures, as one slow answer is no reason to send everything elsewhere; both come before the delay of a drain is over.
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

/** The members of these names, as far as they are there. */
export function picked(from: Raw, names: readonly string[]): Raw {
  return Object.fromEntries(names.flatMap((name) => (valueAt(from, name) === undefined ? [] : [[name, valueAt(from, name)]])))
}

/** A resource with a limit and no request gets no default here: the API server makes the limit its request. */
function resourcesOf(wished: Raw): Raw {
  const [requests, limits] = [rawAt(wished, 'requests'), rawAt(wished, 'limits')]
  const usual = Object.entries(usualRequests).filter(([name]) => !Object.hasOwn(limits, name))
  return { requests: { ...Object.fromEntries(usual), ...requests }, ...picked(wished, ['limits']) }
}

function probe(path: string, pace: Raw): Raw {
  return { httpGet: { path, port: 'health' }, ...pace }
}

import { gzipSync } from 'node:zlib'
import { type GatewayView, servedPorts } from '../gateways/gateways.ts'
import {
  apiVersionOf,
  type KubeObject,
  kinds,
  labelValue,
  managedBy,
  namesFor,
  ownPorts,
  type ProvisionedNames,
  type Raw,
  rawAt,
  type Settings,
  textsOf,
  valueAt,
} from '../objects/objects.ts'
import { picked, proxyPod } from './proxy-pod.ts'

/** The largest document that is written uncompressed: a Secret holds 1 MiB, of which base64 and the random parts take some. */
const maxPlainBytes = 700_000

type ProvisionedKind = Extract<(typeof kinds)[number], { isProvisioned: 'namespace' }>['kind']

/**
 * All objects that a Gateway needs in its namespace, the Secret with its document first. They are shaped by its `spec.infrastructure` and by
 * the GatewayParameters of the Gateway and its class, by nothing else.
 */
export function provision(gateway: GatewayView, document: Raw, settings: Settings): readonly KubeObject[] {
  const { object, parameters } = gateway
  const names = namesFor(object.metadata.name)
  const meta = metaOf(object, names, settings)
  const wished = textsOf(rawAt(object, 'spec', 'infrastructure', 'annotations'))
  const make = (kind: ProvisionedKind, name: string, rest: Raw, own: Readonly<Record<string, string>> = {}): KubeObject => ({
    apiVersion: apiVersions[kind],
    kind,
    metadata: meta(name, annotated.has(kind) && name !== names.peers ? { ...wished, ...own } : own),
    ...rest,
  })
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: names.config }
  const reader = { kind: 'ServiceAccount', name: names.config, namespace: object.metadata.namespace ?? '' }
  const selector = selectorOf(object)
  const served = servedPorts(gateway)
  const template = proxyPod({ object, names, selector, parameters, settings })
  const autoscaling = valueAt(parameters, 'autoscaling')
  return [
    make('Secret', names.config, { type: 'Opaque', data: dataOf(document) }, { 'mcplex.dev/version': settings.version }),
    make('ServiceAccount', names.config, { automountServiceAccountToken: false }),
    make('Role', names.config, {
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [names.config], verbs: ['get', 'list', 'watch'] }],
    }),
    make('RoleBinding', names.config, { roleRef: role, subjects: [reader] }),
    make('Deployment', names.workload, {
      spec: {
        // Without a number the field is left to whoever scales the Deployment, by hand or by load.
        ...picked(parameters, ['replicas']),
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: { metadata: podMetaOf(object, names, settings, wished), spec: template },
      },
    }),
    make('Service', names.workload, {
      spec: {
        type: 'LoadBalancer',
        ...picked(rawAt(parameters, 'service'), ['type', 'loadBalancerClass', 'externalTrafficPolicy']),
        selector,
        ports: served.map((port) => ({ name: `port-${port}`, protocol: 'TCP', port, targetPort: port })),
      },
    }),
    make('Service', names.peers, {
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector,
        ports: [{ name: 'peers', protocol: 'TCP', port: ownPorts.peers, targetPort: ownPorts.peers }],
      },
    }),
    make('PodDisruptionBudget', names.workload, {
      spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels: selector } },
    }),
    ...(autoscaling === undefined
      ? []
      : [make('HorizontalPodAutoscaler', names.workload, { spec: scalingOf(rawAt(autoscaling), names.workload) })]),
  ]
}

const usualUtilization = 80

/** The HorizontalPodAutoscalerSpec for the Deployment of this name. */
function scalingOf(autoscaling: Raw, name: string): Raw {
  const averageUtilization = valueAt(autoscaling, 'targetCPUUtilizationPercentage') ?? usualUtilization
  return {
    scaleTargetRef: { apiVersion: apiVersions.Deployment, kind: 'Deployment', name },
    minReplicas: valueAt(autoscaling, 'minReplicas') ?? 1,
    ...picked(autoscaling, ['maxReplicas']),
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
  }
}

const apiVersions = Object.fromEntries(kinds.map((kind) => [kind.kind, apiVersionOf(kind)])) as Readonly<Record<ProvisionedKind, string>>

/**
 * Kinds that get the annotations of `spec.infrastructure`: those that run or expose the proxies, and the ServiceAccount, which clouds bind to
 * their own accounts. Secrets, Roles and autoscalers do not get them: tools obey annotations there that copy Secrets, give rights or read
 * metrics from any address, and who may write a Gateway may not be allowed that. The headless Service does not get them either, as it must
 * not get a name or an address outside the cluster.
 */
const annotated: ReadonlySet<ProvisionedKind> = new Set(['Deployment', 'Service', 'ServiceAccount', 'PodDisruptionBudget'])

/** The document as the Secret's data, compressed where it is large. Equal documents give equal data. */
function dataOf(document: Raw): Raw {
  const bytes = Buffer.from(JSON.stringify(document))
  return bytes.length > maxPlainBytes
    ? { 'config.json.gz': gzipSync(bytes).toString('base64') }
    : { 'config.json': bytes.toString('base64') }
}

function metaOf(gateway: KubeObject, names: ProvisionedNames, settings: Settings) {
  const { namespace = '', name: owner, uid } = gateway.metadata
  const ownerReference = { apiVersion: gateway.apiVersion, kind: gateway.kind, name: owner, controller: true, blockOwnerDeletion: false }
  return (name: string, annotations: Readonly<Record<string, string>>) => {
    return {
      name,
      namespace,
      labels: labelsOf(gateway, names, settings),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(uid === undefined ? {} : { ownerReferences: [{ ...ownerReference, uid }] }),
    }
  }
}

function podMetaOf(gateway: KubeObject, names: ProvisionedNames, settings: Settings, annotations: Readonly<Record<string, string>>): Raw {
  return { labels: labelsOf(gateway, names, settings), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) }
}

/** The labels that select the proxies' pods. A Deployment's selector can't be changed, so it has nothing that may change. */
function selectorOf({ metadata }: KubeObject): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': 'mcplex', 'gateway.networking.k8s.io/gateway-name': labelValue(metadata.name) }
}

function labelsOf(gateway: KubeObject, names: ProvisionedNames, settings: Settings): Readonly<Record<string, string>> {
  const className = rawAt(gateway, 'spec')['gatewayClassName']
  return {
    ...textsOf(rawAt(gateway, 'spec', 'infrastructure', 'labels')),
    ...selectorOf(gateway),
    'app.kubernetes.io/instance': names.workload,
    'app.kubernetes.io/managed-by': managedBy(settings),
    'app.kubernetes.io/version': labelValue(settings.version.replaceAll('+', '.')),
    ...(typeof className === 'string' ? { 'gateway.networking.k8s.io/gateway-class-name': labelValue(className) } : {}),
  }
}

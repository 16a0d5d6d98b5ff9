import {
  type Fault,
  type KubeObject,
  numberAt,
  quantityOf,
  type Raw,
  rawAt,
  textAt,
  titleOf,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { type Form, type Shape, shapeErrors } from './shape-errors.ts'

const own = { group: 'mcplex.dev', kind: 'GatewayParameters' } as const

/** What a reference to GatewayParameters comes to. */
export interface ParametersReading {
  /** The members of its spec; none of them where there is a fault. */
  readonly parameters: Raw
  /** Why the object that refers to it is not Accepted. */
  readonly faults: readonly Fault[]
}

/**
 * Reads the GatewayParameters that a reference names, and checks them completely, so that the objects made from them are valid.
 * @param ref as written; undefined where there is none, which is no fault
 * @param place of the reference, such as `spec.infrastructure.parametersRef`
 * @param namespace of the GatewayParameters; undefined where the reference lacks it although it must have one
 */
export function readParameters(ref: unknown, place: string, namespace: string | undefined, world: World): ParametersReading {
  if (ref === undefined) return { parameters: {}, faults: [] }
  const [group = '', kind = '', name = ''] = ['group', 'kind', 'name'].map((member) => textAt(ref, member))
  if (group !== own.group || kind !== own.kind) {
    const found = `${kind || 'something without a kind'} (${group || 'no group'})`
    return refused(`${place}: ${found} is not read by mcplex: write a ${own.kind} (${own.group}) and name that, or leave it out`)
  }
  if (namespace === undefined) return refused(`${place}.namespace is missing: write that of the ${own.kind}`)
  const title = titleOf({ ...own, namespace, name })
  const object = world.find({ ...own, namespace, name })
  if (object === undefined) return refused(`${place}: there is no ${title}: create it, or leave the reference out`)
  const spec = rawAt(object, 'spec')
  const errors = shapeErrors(spec, shape, 'spec')
  const wrong = errors.length > 0 ? errors : contradictions(spec)
  if (wrong.length > 0) return refused(...wrong.map((text) => `${title}: ${text}`))
  return { parameters: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null)), faults: [] }
}

function refused(...messages: readonly string[]): ParametersReading {
  return { parameters: {}, faults: messages.map((message) => ({ reason: 'InvalidParameters', message })) }
}

/** Titles of the GatewayParameters of a Gateway and of its class, its own first. */
export function parametersFor(gateway: KubeObject, world: World): readonly string[] {
  const className = textAt(gateway, 'spec', 'gatewayClassName') ?? ''
  const ofClass = world.find({ group: 'gateway.networking.k8s.io', kind: 'GatewayClass', namespace: '', name: className })
  return [
    { ref: rawAt(gateway, 'spec', 'infrastructure', 'parametersRef'), namespace: gateway.metadata.namespace },
    { ref: rawAt(ofClass, 'spec', 'parametersRef'), namespace: textAt(ofClass, 'spec', 'parametersRef', 'namespace') },
  ].flatMap(({ ref, namespace }) => {
    const name = textAt(ref, 'name')
    return name === undefined || namespace === undefined ? [] : [titleOf({ ...own, namespace, name })]
  })
}

/**
 * A Gateway's parameters over those of its class, member by member. `replicas` and `autoscaling` replace each other: both set the number of
 * pods.
 */
export function overDefaults(wished: Raw, defaults: Raw): Raw {
  const { replicas, autoscaling, ...others } = defaults
  const isCounted = ['replicas', 'autoscaling'].some((name) => Object.hasOwn(wished, name))
  return { ...(isCounted ? others : defaults), ...wished }
}

const text: Shape = { kind: 'text' }
/** Kubernetes, syntax of labels: an optional domain and a slash before the name. */
const labelName: Form = {
  isMet(text) {
    const [name = '', domain, ...more] = text.split('/').reverse()
    const isDomain =
      domain === undefined || (domain.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(domain))
    return more.length === 0 && isDomain && /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(name)
  },
  name: 'the name of a label, such as kubernetes.io/arch',
}
const labelValue: Form = {
  isMet: (text) => /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text),
  name: 'the value of a label: at most 63 letters, digits, inner hyphens, dots and underscores',
}
const taintKey: Form = {
  isMet: (text) => text === '' || labelName.isMet(text),
  name: 'the key of a taint, such as example.com/dedicated',
}
const resourceName: Form = {
  isMet: (text) => /^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(text) || (text.includes('/') && labelName.isMet(text)),
  name: 'a resource: write cpu, memory, ephemeral-storage, hugepages-SIZE, or the name of a device with its domain, such as example.com/card',
}
const quantities: Shape = { kind: 'map', of: { kind: 'quantity' }, keys: resourceName }
const object = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: 'object', fields })
const wholeFrom = (min: number): Shape => ({ kind: 'whole', min })
const oneOf = (...values: readonly string[]): Shape => ({ kind: 'text', values })

const shape = object({
  replicas: wholeFrom(0),
  autoscaling: object({ minReplicas: wholeFrom(1), maxReplicas: wholeFrom(1), targetCPUUtilizationPercentage: wholeFrom(1) }),
  resources: object({ requests: quantities, limits: quantities }),
  nodeSelector: { kind: 'map', of: { kind: 'text', form: labelValue }, keys: labelName },
  tolerations: {
    kind: 'list',
    of: object({
      key: { kind: 'text', form: taintKey },
      operator: text,
      value: { kind: 'text', form: labelValue },
      effect: text,
      // An int64, as far as JavaScript's numbers are exact.
      tolerationSeconds: { kind: 'whole', max: Number.MAX_SAFE_INTEGER },
    }),
  },
  priorityClassName: text,
  service: object({
    type: oneOf('LoadBalancer', 'NodePort', 'ClusterIP'),
    loadBalancerClass: text,
    externalTrafficPolicy: oneOf('Cluster', 'Local'),
  }),
  logLevel: oneOf('debug', 'info', 'warn', 'error'),
})

/** Contradictions that the CustomResourceDefinition refuses as well, but that files may have. */
function contradictions(spec: Raw): readonly string[] {
  const [autoscaling, service] = [rawAt(spec, 'autoscaling'), rawAt(spec, 'service')]
  const isScaled = valueAt(spec, 'autoscaling') !== undefined
  const least = numberAt(autoscaling, 'minReplicas') ?? 1
  const most = numberAt(autoscaling, 'maxReplicas')
  const type = textAt(service, 'type') ?? 'LoadBalancer'
  const rules: readonly (readonly [isBroken: boolean, text: string])[] = [
    [isScaled && valueAt(spec, 'replicas') !== undefined, 'spec.replicas and spec.autoscaling: write one of them'],
    [isScaled && most === undefined, 'spec.autoscaling.maxReplicas is missing: write how many pods there may be'],
    [most !== undefined && least > most, `spec.autoscaling: minReplicas ${least} is more than maxReplicas ${most}: correct one of them`],
    [
      valueAt(service, 'loadBalancerClass') !== undefined && type !== 'LoadBalancer',
      `spec.service.loadBalancerClass goes with type LoadBalancer, not ${type}: leave one of them out`,
    ],
    [
      valueAt(service, 'externalTrafficPolicy') !== undefined && type === 'ClusterIP',
      'spec.service.externalTrafficPolicy goes with type LoadBalancer or NodePort, not ClusterIP: leave one of them out',
    ],
  ]
  return [...rules.flatMap(([isBroken, sentence]) => (isBroken ? [sentence] : [])), ...overcommitted(spec)]
}

/** Requests above their limits, and devices and huge pages of which request and limit differ although they can't be overcommitted. */
function overcommitted(spec: Raw): readonly string[] {
  const limits = rawAt(spec, 'resources', 'limits')
  const requests = Object.entries(rawAt(spec, 'resources', 'requests')).sort(([one], [other]) => (one < other ? -1 : 1))
  return requests.flatMap(([name, value]) => {
    const [request = 0, limit] = [quantityOf(value), quantityOf(valueAt(limits, name))]
    const isWhole = name.includes('/') || name.startsWith('hugepages-')
    if (isWhole && request !== limit) return [`spec.resources.limits.${name} is not what is requested of it: write the same for both`]
    if (limit === undefined || request <= limit) return []
    return [`spec.resources.requests.${name} is more than its limit: correct one of them`]
  })
}

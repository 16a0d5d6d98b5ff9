import { misfits, type Shape } from './misfits.ts'
import type { Fault, Raw } from './model.ts'
import { numberAt, rawAt, textAt, valueAt } from './raw.ts'
import { titleOf, type World } from './world.ts'

const own = { group: 'mcplex.dev', kind: 'GatewayParameters' } as const

export interface ParametersReading {
  /** The members of its spec; none where there is a fault. */
  readonly parameters: Raw
  /** Why what names it is not Accepted. */
  readonly faults: readonly Fault[]
}

/**
 * The GatewayParameters that a reference names, checked wholly: what is made of them stands in no other check's way.
 * @param ref as written; undefined: there is none, which is no fault
 * @param place the reference's, such as `spec.infrastructure.parametersRef`
 * @param namespace where to look; undefined: the reference should have said it, and doesn't
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
  const unfit = misfits(spec, shape, 'spec')
  const wrong = unfit.length > 0 ? unfit : contradictions(spec)
  if (wrong.length > 0) return refused(...wrong.map((text) => `${title}: ${text}`))
  return { parameters: Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null)), faults: [] }
}

function refused(...messages: readonly string[]): ParametersReading {
  return { parameters: {}, faults: messages.map((message) => ({ reason: 'InvalidParameters', message })) }
}

/** Each member of a spec counts whole; a number of pods and the way to find one are the same wish. */
export function overDefaults(wished: Raw, defaults: Raw): Raw {
  const { replicas, autoscaling, ...others } = defaults
  const isCounted = ['replicas', 'autoscaling'].some((name) => Object.hasOwn(wished, name))
  return { ...(isCounted ? others : defaults), ...wished }
}

const text: Shape = { kind: 'text' }
const quantities: Shape = { kind: 'map', of: { kind: 'quantity' } }
const object = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: 'object', fields })
const wholeFrom = (min: number): Shape => ({ kind: 'whole', min })
const oneOf = (...values: readonly string[]): Shape => ({ kind: 'text', values })

const shape = object({
  replicas: wholeFrom(0),
  autoscaling: object({ minReplicas: wholeFrom(1), maxReplicas: wholeFrom(1), targetCPUUtilizationPercentage: wholeFrom(1) }),
  resources: object({ requests: quantities, limits: quantities }),
  nodeSelector: { kind: 'map', of: text },
  tolerations: { kind: 'list', of: object({ key: text, operator: text, value: text, effect: text, tolerationSeconds: { kind: 'whole' } }) },
  priorityClassName: text,
  service: object({
    type: oneOf('LoadBalancer', 'NodePort', 'ClusterIP'),
    loadBalancerClass: text,
    externalTrafficPolicy: oneOf('Cluster', 'Local'),
  }),
  logLevel: oneOf('debug', 'info', 'warn', 'error'),
})

/** What the definition of the kind refuses too, but files may hold. */
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
  return rules.flatMap(([isBroken, sentence]) => (isBroken ? [sentence] : []))
}

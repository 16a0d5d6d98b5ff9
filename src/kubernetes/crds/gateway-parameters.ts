import type { Raw } from '../objects/objects.ts'
import { define } from './definition.ts'
import { integer, list, matches, object, type Rule, text } from './schema.ts'

/** Our own kind: what a Gateway's author, or its class's, may ask of the pods and the Service that are made for it. */

const dnsName = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'
const qualifiedName = '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'
const labelValue = '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'
const labelHint = 'use letters, digits, inner hyphens, dots and underscores, such as disktype'

/** A rule for the name of a label or a resource: before its slash there may be a domain of 253 characters. */
function isQualified(name: string): string {
  return `${name}.matches(r'${qualifiedName}') && ${name}.indexOf('/') <= 253`
}

/** Bounds keep the rules within the API server's budget. */
function map(description: string, values: Raw, max: number, rules: readonly Rule[] = []): Raw {
  const validations = rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }
  return { description, type: 'object', maxProperties: max, additionalProperties: values, ...validations }
}

const quantity: Raw = {
  'x-kubernetes-int-or-string': true,
  maxLength: 32,
  'x-kubernetes-validations': [
    {
      rule: "type(self) == string ? isQuantity(self) && !self.startsWith('-') : self >= 0",
      message: 'write a quantity such as 500m, 2 or 512Mi',
    },
  ],
}

const resourceNames: readonly Rule[] = [
  {
    rule:
      "self.all(name, name in ['cpu', 'memory', 'ephemeral-storage'] || name.startsWith('hugepages-') || " +
      `(name.contains('/') && ${isQualified('name')}))`,
    message: 'write cpu, memory, ephemeral-storage, hugepages-SIZE, or the name of a device with its domain, such as example.com/card',
  },
]

const resources = object(
  'What the container asks for, and what it may use at most. Not written: cpu 100m and memory 128Mi are requested, nothing is limited.',
  {
    requests: map('By resource, such as cpu and memory. One that has a limit alone requests as much.', quantity, 16, resourceNames),
    limits: map('By resource.', quantity, 16, resourceNames),
  },
  {
    rules: [
      {
        rule:
          '!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || ' +
          'quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0)',
        message: 'no more can be requested than the limit of the same name',
      },
      {
        rule:
          "!has(self.requests) || self.requests.all(name, !(name.contains('/') || name.startsWith('hugepages-')) || " +
          '(has(self.limits) && name in self.limits && ' +
          'quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) == 0))',
        message: 'devices and huge pages are given whole: write the same for requests and limits',
      },
    ],
  },
)

const toleration = object(
  'One kind of taint that the pods may run in spite of.',
  {
    key: text('The key of the taint. Not written: any, with operator Exists.', { min: 0, max: 317 }),
    operator: text('How its value is compared. Not written: Equal.', { values: ['Exists', 'Equal'] }),
    value: text('Its value, for Equal.', { min: 0, max: 63, rules: [matches(labelValue, labelHint)] }),
    effect: text('Its effect. Not written: any.', { values: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] }),
    tolerationSeconds: { description: 'For how long, with effect NoExecute. Not written: for ever.', type: 'integer', format: 'int64' },
  },
  {
    rules: [
      {
        rule: `!has(self.key) || self.key == '' || (${isQualified('self.key')})`,
        message: 'write the key of a taint, such as example.com/dedicated',
      },
      {
        rule: "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
        message: 'write key, or operator: Exists for any',
      },
      {
        rule: "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
        message: 'operator Exists takes no value',
      },
      {
        rule: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        message: 'tolerationSeconds goes with effect: NoExecute',
      },
    ],
  },
)

const service = object(
  'The Service that clients reach the Gateway by.',
  {
    type: text('Not written: LoadBalancer.', { values: ['LoadBalancer', 'NodePort', 'ClusterIP'] }),
    loadBalancerClass: text('Which load balancer. It stays as it was made: delete the Service to change it.', {
      rules: [matches(qualifiedName, 'write the name of a class, such as example.com/internal')],
    }),
    externalTrafficPolicy: text('Local keeps the addresses of clients, and nodes without a pod take nothing. Not written: Cluster.', {
      values: ['Cluster', 'Local'],
    }),
  },
  {
    rules: [
      {
        rule: "!has(self.loadBalancerClass) || !has(self.type) || self.type == 'LoadBalancer'",
        message: 'loadBalancerClass goes with type: LoadBalancer',
      },
      {
        rule: "!has(self.externalTrafficPolicy) || !has(self.type) || self.type != 'ClusterIP'",
        message: 'externalTrafficPolicy goes with type: LoadBalancer or NodePort',
      },
    ],
  },
)

const autoscaling = object(
  'How many pods there are, by load. Needs something in the cluster that measures it, such as metrics-server.',
  {
    minReplicas: integer('At least as many. Not written: 1.', { min: 1 }),
    maxReplicas: integer('At most as many.', { min: 1 }),
    targetCPUUtilizationPercentage: integer('The average that is aimed at, in percent of the requested cpu. Not written: 80.', { min: 1 }),
  },
  {
    required: ['maxReplicas'],
    rules: [{ rule: '!has(self.minReplicas) || self.minReplicas <= self.maxReplicas', message: 'minReplicas is more than maxReplicas' }],
  },
)

export const gatewayParameters = define({
  group: 'mcplex.dev',
  kind: 'GatewayParameters',
  description:
    'How much runs for a Gateway, where, and how it is reached. A Gateway names it in spec.infrastructure.parametersRef; a GatewayClass in spec.parametersRef, for what its Gateways do not say.',
  shortNames: ['mcpparams'],
  categories: ['mcplex'],
  columns: [
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', description: 'Pods.' },
    { name: 'Min', type: 'integer', jsonPath: '.spec.autoscaling.minReplicas', description: 'The least of them, by load.' },
    { name: 'Max', type: 'integer', jsonPath: '.spec.autoscaling.maxReplicas', description: 'The most of them, by load.' },
    { name: 'Service', type: 'string', jsonPath: '.spec.service.type', description: 'How they are reached.' },
  ],
  spec: object(
    'What is asked for.',
    {
      replicas: integer('How many pods. Not written, and no autoscaling either: 1, or as many as somebody scales to.'),
      autoscaling,
      resources,
      nodeSelector: map(
        'Labels of the nodes that the pods may run on.',
        text('', { min: 0, max: 63, rules: [matches(labelValue, labelHint)] }),
        32,
        [
          {
            rule: `self.all(name, ${isQualified('name')})`,
            message: 'write names of labels, such as kubernetes.io/arch',
          },
        ],
      ),
      tolerations: list('Taints that the pods may run in spite of.', toleration, { max: 32 }),
      priorityClassName: text('The PriorityClass of the pods.', {
        rules: [matches(dnsName, 'write the name of a PriorityClass: lower-case letters, digits, inner hyphens and dots')],
      }),
      service,
      logLevel: text('The least that the pods log. Not written: info.', { values: ['debug', 'info', 'warn', 'error'] }),
    },
    {
      rules: [{ rule: '!has(self.replicas) || !has(self.autoscaling)', message: 'write either replicas or autoscaling' }],
    },
  ),
})

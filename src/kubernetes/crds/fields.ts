import type { Raw } from '../objects/objects.ts'
import { integer, labels, list, matches, object, text } from './schema.ts'

/** Fields that several kinds have. */

const dnsLabels = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'

export function name(description: string): Raw {
  return text(description)
}

/** Of a target or listener. */
export function sectionName(description: string): Raw {
  return text(description, { rules: [matches(dnsLabels, 'use lower-case letters, digits, inner hyphens and dots, such as math-server')] })
}

export function group(description: string): Raw {
  return text(description, {
    min: 0,
    rules: [
      {
        rule: `self == '' || self.matches(r'${dnsLabels}')`,
        message: 'write an API group such as gateway.networking.k8s.io, or "" for core kinds',
      },
    ],
  })
}

export function kind(description: string): Raw {
  return text(description, {
    max: 63,
    rules: [matches('^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$', 'write a kind such as Gateway')],
  })
}

export function port(description: string): Raw {
  return integer(description, { min: 1, max: 65_535 })
}

/** GEP-2257. */
export function duration(description: string): Raw {
  return text(description, {
    max: 32,
    rules: [matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$', 'write whole numbers with h, m, s or ms, such as 500ms, 5s or 1h30m')],
  })
}

/** metav1.LabelSelector. */
export function labelSelector(description: string): Raw {
  const requirement = object(
    'One requirement on a label.',
    {
      key: text('The label.', { max: 317 }),
      operator: text('How its value is compared.', { values: ['In', 'NotIn', 'Exists', 'DoesNotExist'] }),
      values: list('Values, for In and NotIn.', { type: 'string', maxLength: 63 }, { max: 256 }),
    },
    {
      required: ['key', 'operator'],
      rules: [
        {
          rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
          message: 'In and NotIn need values; Exists and DoesNotExist take none',
        },
      ],
    },
  )
  const selector = object(description, {
    matchLabels: labels('Labels that must be there with these values.'),
    matchExpressions: list('Requirements that must all hold.', requirement, { max: 64 }),
  })
  // Written as a whole: labels of two writers together would select something that neither meant.
  return { ...selector, 'x-kubernetes-map-type': 'atomic' }
}

/** metav1.Condition. */
export function conditions(description: string): Raw {
  const condition = object(
    'One thing that is so, is not so, or is not known.',
    {
      type: text('What it is about, such as Accepted.', { max: 316 }),
      status: text('Whether it is so.', { values: ['True', 'False', 'Unknown'] }),
      reason: text('Why, as one word.', { max: 1024 }),
      message: text('Why, as a sentence with the remedy.', { min: 0, max: 32_768 }),
      observedGeneration: { description: 'The generation of the object that was looked at.', type: 'integer', format: 'int64', minimum: 0 },
      lastTransitionTime: text('Since when.', { format: 'date-time' }),
    },
    { required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'], isClosed: true },
  )
  return list(description, condition, { keys: ['type'], max: 8 })
}

/** What is known of a backend's servers. */
export const mcpStatus = object('Its servers, as the gateway sees them.', {
  targets: integer('Servers that it stands for: static ones, and one for each port that a selector finds.'),
  ready: integer('Those of them that answer.'),
  tools: integer('Tools that they offer together.'),
  servers: list(
    'Each server.',
    object(
      'One server.',
      {
        name: text('Its name: what stands before the names of its tools.'),
        state: text('Such as ready, connecting or down.', { max: 64 }),
        era: text('The family of protocol revisions that it speaks: legacy (to 2025-11-25) or modern.', { max: 64 }),
        tools: integer('How many tools it offers.'),
        lastError: text('What went wrong the last time.', { min: 0, max: 1024 }),
        since: text('Since when it is in this state.', { format: 'date-time' }),
      },
      { required: ['name'] },
    ),
    { keys: ['name'], max: 1024 },
  ),
})

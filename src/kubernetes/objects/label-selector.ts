import { isRaw, listAt, textAt, valueAt } from './raw.ts'
import { unknownMembers } from './unknown-members.ts'

type Labels = Readonly<Record<string, string>> | undefined

/**
 * Whether a label selector (metav1.LabelSelector) selects these labels. An empty one selects everything; one that is absent or invalid
 * selects nothing.
 */
export function isSelected(selector: unknown, labels: Labels): boolean {
  if (selectorFault(selector) !== undefined) return false
  const own = new Map(Object.entries(labels ?? {}))
  const isEqual = Object.entries(valueAt(selector, 'matchLabels') ?? {}).every(([key, value]) => own.get(key) === value)
  return isEqual && listAt(selector, 'matchExpressions').every((expression) => isMet(expression, own))
}

/** What is wrong with a label selector, as text to follow its place; undefined where it is valid. */
export function selectorFault(selector: unknown): string | undefined {
  if (!isRaw(selector)) return ' is not a label selector'
  const [unknown] = unknownMembers(selector, ['matchLabels', 'matchExpressions'])
  if (unknown !== undefined) return `.${unknown} is not known`
  const labels = valueAt(selector, 'matchLabels')
  if (labels !== undefined && !(isRaw(labels) && Object.values(labels).every((value) => typeof value === 'string')))
    return '.matchLabels is not a map of texts'
  const expressions = valueAt(selector, 'matchExpressions')
  if (expressions === undefined) return undefined
  if (!Array.isArray(expressions)) return '.matchExpressions is not a list'
  const wrong = expressions.findIndex((expression) => !isExpression(expression))
  return wrong < 0 ? undefined : `.matchExpressions[${wrong}] is not a key with In, NotIn and values, or Exists, DoesNotExist without`
}

function isExpression(expression: unknown): boolean {
  const values = valueAt(expression, 'values') ?? []
  if (textAt(expression, 'key') === undefined || unknownMembers(expression, ['key', 'operator', 'values']).length > 0) return false
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) return false
  switch (textAt(expression, 'operator')) {
    case 'In':
    case 'NotIn':
      return values.length > 0
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
    default:
      return false
  }
}

function isMet(expression: unknown, labels: ReadonlyMap<string, string>): boolean {
  const label = labels.get(textAt(expression, 'key') ?? '')
  const values = listAt(expression, 'values')
  switch (textAt(expression, 'operator')) {
    case 'In':
      return values.includes(label)
    case 'NotIn':
      return !values.includes(label)
    case 'Exists':
      return label !== undefined
    default:
      return label === undefined
  }
}

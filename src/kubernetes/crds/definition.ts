import { kindOf, type Raw } from '../objects/objects.ts'
import { object } from './schema.ts'

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer'
  readonly jsonPath: string
  readonly description: string
}

export interface Definition {
  readonly group: string
  readonly kind: string
  readonly description: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly columns: readonly Column[]
  readonly spec: Raw
  /** Absent: it has none. */
  readonly status?: Raw
}

const age = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How long ago it was made.',
}

/** The column with the status of a condition; `list`: where the conditions are, such as `.status`. */
export function conditionColumn(name: string, at: string, description: string): Column {
  return { name, type: 'string', jsonPath: `${at}.conditions[?(@.type=='${name}')].status`, description }
}

export const targetColumns: readonly Column[] = [
  { name: 'Targets', type: 'integer', jsonPath: '.status.mcp.targets', description: 'MCP servers behind it.' },
  { name: 'Ready', type: 'integer', jsonPath: '.status.mcp.ready', description: 'Those that answer.' },
  { name: 'Tools', type: 'integer', jsonPath: '.status.mcp.tools', description: 'Tools that they offer.' },
]

/** The CustomResourceDefinition (apiextensions.k8s.io/v1) of a kind in objects/kinds.ts, with its one version. */
export function define({ description, shortNames, categories, columns, spec, status, ...ref }: Definition): Raw {
  const kind = kindOf(ref.group, ref.kind)
  if (kind === undefined) throw new Error(`${ref.kind} of ${ref.group} is not among the kinds of kinds.ts`)
  const schema = object(
    description,
    {
      apiVersion: { description: 'The group and version of this object.', type: 'string' },
      kind: { description: 'The kind of this object.', type: 'string' },
      metadata: { type: 'object' },
      spec,
      ...(status === undefined ? {} : { status }),
    },
    { required: ['spec'], isClosed: true },
  )
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${kind.group}`, labels: { 'app.kubernetes.io/name': 'mcplex' } },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames,
        categories,
      },
      scope: kind.isNamespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          ...(status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: [...columns, age],
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  }
}

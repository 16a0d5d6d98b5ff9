import type { AdminApi } from './admin-api.ts'
import type { ApiObject } from './kubectl.ts'
import { until } from './wait.ts'

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration?: number
}

function conditionsOf(holder: unknown): readonly Condition[] {
  return (holder as { conditions?: readonly Condition[] } | undefined)?.conditions ?? []
}

/** The condition of that type, if it has that reason and was written for the object as it is now. */
export async function condition(api: AdminApi, resource: string, namespace: string, name: string, type: string, reason: string) {
  const object = await api.get(resource, namespace, name)
  return current(object, conditionsOf(object['status'])).find((one) => one.type === type && one.reason === reason)
}

/** Likewise, of an HTTPRoute's first parent, and by the condition's status. */
export async function routeCondition(api: AdminApi, namespace: string, name: string, type: string, status: string) {
  const object = await api.get('httproutes', namespace, name)
  const [parent] = (object['status'] as { parents?: readonly unknown[] } | undefined)?.parents ?? []
  return current(object, conditionsOf(parent)).find((one) => one.type === type && one.status === status)
}

function current({ metadata }: ApiObject, conditions: readonly Condition[]): readonly Condition[] {
  return conditions.filter(({ observedGeneration }) => observedGeneration === metadata.generation)
}

interface Document {
  readonly routes: readonly { readonly name: string }[]
}

/** A Gateway's document once it holds that text; that takes up to half a minute after an outage. */
export async function document(api: AdminApi, namespace: string, name: string, text = ''): Promise<Document> {
  return until(
    `'${text}' in the document of ${namespace}/${name}`,
    async () => {
      const { data } = (await api.get('secrets', namespace, `${name}-mcplex`)) as unknown as { data: Readonly<Record<string, string>> }
      const json = atob(data['config.json'] ?? '')
      return json !== '' && json.includes(text) ? JSON.parse(json) : undefined
    },
    { timeoutMs: 60_000, everyMs: 50 },
  )
}

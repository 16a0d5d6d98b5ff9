import type { Capability } from './offers.ts'

/** The four lists that servers give. */
export type ListKind = 'tools' | 'prompts' | 'resources' | 'templates'

/** The member of a method's `params` that names a tool, prompt or resource; `ref` is the reference of a completion. */
export type SubjectMember = 'name' | 'uri' | 'ref'

export interface MethodRow {
  /** The list of which it asks for a page. */
  readonly lists?: ListKind
  /** The member of its params that names a tool, prompt or resource. */
  readonly subject?: SubjectMember
}

/** The canonical methods, in 2026-07-28 terms. */
export const methods = {
  'server/discover': {},
  'tools/list': { lists: 'tools' },
  'tools/call': { subject: 'name' },
  'prompts/list': { lists: 'prompts' },
  'prompts/get': { subject: 'name' },
  'resources/list': { lists: 'resources' },
  'resources/templates/list': { lists: 'templates' },
  'resources/read': { subject: 'uri' },
  'completion/complete': { subject: 'ref' },
  'subscriptions/listen': {},
} as const satisfies Record<string, MethodRow>

export type Method = keyof typeof methods

export function isMethod(name: string): name is Method {
  return Object.hasOwn(methods, name)
}

export function listedBy(method: Method): ListKind | undefined {
  const row: MethodRow = methods[method]
  return row.lists
}

interface ListRow {
  readonly method: Method
  /** The member of the result that holds the list. */
  readonly member: string
  /** The member of an entry that identifies it. */
  readonly key: string
  readonly capability: Capability
  /** The notification of a change of the list. */
  readonly changed: string
  /** Its flag in the filter of `subscriptions/listen` (2026-07-28, subscriptions, Notification Filter). */
  readonly flag: string
}

/** How each list is asked for and read. Templates have no notification of their own: they change with the resources. */
export const lists = {
  tools: {
    method: 'tools/list',
    member: 'tools',
    key: 'name',
    capability: 'tools',
    changed: 'notifications/tools/list_changed',
    flag: 'toolsListChanged',
  },
  prompts: {
    method: 'prompts/list',
    member: 'prompts',
    key: 'name',
    capability: 'prompts',
    changed: 'notifications/prompts/list_changed',
    flag: 'promptsListChanged',
  },
  resources: {
    method: 'resources/list',
    member: 'resources',
    key: 'uri',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
    flag: 'resourcesListChanged',
  },
  templates: {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    key: 'uriTemplate',
    capability: 'resources',
    changed: 'notifications/resources/list_changed',
    flag: 'resourcesListChanged',
  },
} as const satisfies Record<ListKind, ListRow>

export const listKinds = Object.keys(lists) as readonly ListKind[]

/** The kinds of lists whose changes clients are notified of; resources and their templates are one kind. */
export type ChangeKind = 'tools' | 'prompts' | 'resources'

export const changeKinds: readonly ChangeKind[] = ['tools', 'prompts', 'resources']

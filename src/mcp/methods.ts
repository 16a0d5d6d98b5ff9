/** The canonical methods, in 2026-07-28 terms, and the member of `params` that names what they are about. */
export const methods = {
  'server/discover': { subject: undefined },
  'tools/list': { subject: undefined },
  'tools/call': { subject: 'name' },
  'subscriptions/listen': { subject: undefined },
} as const satisfies Record<string, { subject: 'name' | 'uri' | undefined }>

export type Method = keyof typeof methods

export function isMethod(name: string): name is Method {
  return Object.hasOwn(methods, name)
}

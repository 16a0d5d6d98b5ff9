/** The objects of one kind that a follower keeps up to date. */
export interface Collection {
  /** The API group; empty for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  /** The namespace; absent: all namespaces, or a kind that has none. */
  readonly namespace?: string
  /** Where it is set, only the object of this name is followed. */
  readonly name?: string
  readonly labelSelector?: string
}

export function pathOf({ group, version, plural, namespace }: Collection): string {
  const parts = [
    ...(group === '' ? ['api'] : ['apis', group]),
    version,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
  ]
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('')
}

/** The query parameters that select objects of the collection: by name, by labels. */
export function selectorOf({ name, labelSelector }: Collection): Readonly<Record<string, string>> {
  return {
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  }
}

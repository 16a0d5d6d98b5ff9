/** The objects of one kind that a follower keeps up to date. */
export interface Collection {
  /** Empty for core kinds. */
  readonly group: string
  readonly version: string
  readonly plural: string
  /** Absent: all namespaces, or a kind without them. */
  readonly namespace?: string
  /** Only the object of this name. */
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

/** The query's members that choose among the objects. */
export function selectorOf({ name, labelSelector }: Collection): Readonly<Record<string, string>> {
  return {
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  }
}

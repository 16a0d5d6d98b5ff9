/** A JSON object, parsed. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isListOf(value: unknown, isFit: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isFit)
}

export function isAbsentOr(value: unknown, isFit: (value: unknown) => boolean): boolean {
  return value === undefined || isFit(value)
}

/** Icons of a tool or a resource link, as strict clients take them (2026-07-28, schema, Icon). */
export function areIcons(value: unknown): boolean {
  return isListOf(value, (icon) => {
    if (!isRecord(icon) || !isText(icon['src']) || !isAbsentOr(icon['mimeType'], isText)) return false
    const { sizes, theme } = icon
    return isAbsentOr(sizes, (list) => isListOf(list, isText)) && isAbsentOr(theme, (name) => name === 'light' || name === 'dark')
  })
}

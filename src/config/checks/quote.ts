/** A written value as problems quote it: cut short, and without what a URL may hold of credentials: before its @, and in its query. */
export function quote(written: string): string {
  const shown = written
    .replace(/\/\/\S*@/g, '//…@')
    .replace(/(:\/\/[^\s?#]*\?)[^\s"']+/g, '$1…')
    .replace(/\s+/g, ' ')
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown
}

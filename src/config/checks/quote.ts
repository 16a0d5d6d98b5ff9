/** A written value as problems quote it: cut short, and without the credentials that a URL may hold before its @. */
export function quote(written: string): string {
  const shown = written.replace(/\/\/\S*@/g, '//…@').replace(/\s+/g, ' ')
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown
}

/** What a document's author wrote, short and without what a URL may hide before its @. */
export function quote(written: string): string {
  const shown = written.replace(/\/\/\S*@/g, '//…@').replace(/\s+/g, ' ')
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown
}

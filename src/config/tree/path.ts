export type Path = readonly (string | number)[]

/** A path as people read it: `listeners[0].port`, `backends."ns/name".servers`. */
export function formatPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += `${text === '' ? '' : '.'}${/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)}`
  }
  return text
}

/** The inverse of `formatPath`. */
export function readPath(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|("(?:[^"\\]|\\.)*")|([A-Za-z0-9_-]+)/g)].map(([, index, quoted, word]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? String(JSON.parse(quoted)) : (word ?? ''),
  )
}

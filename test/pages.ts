import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join, normalize } from 'node:path'

const root = join(import.meta.dirname, '..')

/** A page of the documentation. */
export interface Page {
  /** From the checkout's root. */
  readonly path: string
  readonly text: string
  /** What links to places in it may name, as GitHub makes them of headings, and those that it gives itself. */
  readonly anchors: ReadonlySet<string>
  /** Its links within the repository. */
  readonly links: readonly Link[]
  /** Its blocks of code. */
  readonly fences: readonly Fence[]
}

export interface Link {
  /** From the checkout's root. */
  readonly to: string
  readonly anchor: string | undefined
}

export interface Fence {
  /** Such as `yaml`. */
  readonly language: string
  readonly text: string
  /** Of its first line, counted from 1. */
  readonly line: number
}

/** Every page of the repository, but transcripts of tests. */
export async function readPages(): Promise<readonly Page[]> {
  const paths: string[] = []
  for (const pattern of ['*.md', '{docs,deploy,examples,src,test,bench}/**/*.md']) {
    for await (const path of glob(pattern, { cwd: root })) if (!path.startsWith('src/gateway/transcripts/')) paths.push(path)
  }
  return paths.sort().map((path) => readPage(path, readFileSync(join(root, path), 'utf8')))
}

function readPage(path: string, text: string): Page {
  const fences: Fence[] = []
  const prose = text.replace(/^```([a-z]*)\n([\s\S]*?)^```$/gm, (whole, language: string, code: string, offset: number) => {
    fences.push({ language, text: code, line: text.slice(0, offset).split('\n').length + 1 })
    return whole.replace(/[^\n]/g, '')
  })
  const links = [...prose.replace(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [file = '', anchor] = target.split('#', 2)
    return [{ to: file === '' ? path : normalize(join(path, '..', file)), anchor }]
  })
  return { path, text, anchors: anchorsOf(prose), links, fences }
}

function anchorsOf(prose: string): ReadonlySet<string> {
  const anchors = new Set([...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id))
  for (const [, heading = ''] of prose.matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-')
    let name = slug
    for (let count = 1; anchors.has(name); count++) name = `${slug}-${count}`
    anchors.add(name)
  }
  return anchors
}

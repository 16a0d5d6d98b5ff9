import { isAbsolute, join } from 'node:path'

/** What a Dockerfile without build steps says. */
export interface Dockerfile {
  /** From paths of the build's context to absolute ones. */
  readonly copies: readonly { readonly from: string; readonly to: string }[]
  readonly env: Readonly<Record<string, string>>
  readonly user: string | undefined
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

/** Throws where an instruction is one that needs a builder. */
export function readDockerfile(text: string): Dockerfile {
  const copies: { from: string; to: string }[] = []
  const env: Record<string, string> = {}
  let directory = '/'
  let user: string | undefined
  let entrypoint: readonly string[] = []
  let command: readonly string[] = []
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const [, instruction = '', rest = ''] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? []
    const words = rest.trim().split(/\s+/)
    if (instruction === 'WORKDIR') directory = rest
    else if (instruction === 'USER') user = rest
    else if (instruction === 'ENTRYPOINT') entrypoint = JSON.parse(rest)
    else if (instruction === 'CMD') command = JSON.parse(rest)
    else if (instruction === 'ENV') Object.assign(env, Object.fromEntries(words.map((word) => word.split('=', 2))))
    else if (instruction === 'COPY') copies.push(...copiesOf(words, directory))
    else if (!['', 'FROM', 'ARG', 'LABEL'].includes(instruction)) throw new Error(`a builder is needed for: ${line}`)
  }
  return { copies, env, user, entrypoint, command }
}

/** A directory's content goes into the target, files go into a target that ends in a slash. */
function copiesOf(words: readonly string[], directory: string): readonly { from: string; to: string }[] {
  const target = words.at(-1) ?? ''
  const into = isAbsolute(target) ? target : join(directory, target)
  return words.slice(0, -1).map((from) => ({ from, to: target.endsWith('/') && !from.endsWith('/') ? join(into, from) : into }))
}

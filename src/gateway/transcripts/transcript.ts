/** One file of the transcripts, whose format README.md tells. */
export interface Transcript {
  /** All that stands before the first case. */
  readonly intro: readonly string[]
  /** The gateway's configuration, in YAML. */
  readonly config: string
  readonly servers: readonly ServerPart[]
  readonly cases: readonly Case[]
}

/** What a file says of one server: its kind, and what it offers by the words of the list below it. */
export interface ServerPart {
  readonly name: string
  readonly kind: string
  /** `tools`, `prompts`, `resources`, `templates`, `capabilities`, `instructions`, `pages`. */
  readonly offers: ReadonlyMap<string, readonly string[]>
}

export interface Case {
  readonly name: string
  readonly prose: readonly string[]
  readonly blocks: readonly Block[]
}

export interface Block {
  /** The line that starts it. */
  readonly title: string
  readonly lines: readonly string[]
}

export function parseTranscript(text: string): Transcript {
  const [intro = '', ...sections] = text.split(/^(?=## )/m)
  return {
    intro: intro.trimEnd().split('\n'),
    config: /```yaml\n([\s\S]*?)```/.exec(intro)?.[1] ?? '',
    servers: [...intro.matchAll(/^- `(\S+)` is (\S+) with (.*)((?:\n {2}- .*)*)$/gm)].map(serverPart),
    cases: sections.map(parseCase),
  }
}

function serverPart([, name = '', kind = '', tools = '', list = '']: RegExpExecArray): ServerPart {
  const items = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, item = '']) => item)
  const more = [...list.matchAll(/^ {2}- (\w+) (.*)$/gm)].map(([, word = '', text = '']) => [word, items(text)] as const)
  return { name, kind, offers: new Map([['tools', items(tools)], ...more]) }
}

function parseCase(section: string): Case {
  const [head = '', fenced = ''] = section.split(/^```\n/m)
  const [title = '', ...prose] = head.split('\n')
  const blocks: { title: string; lines: string[] }[] = []
  for (const line of fenced.trimEnd().split('\n')) {
    if (/^(>>>|---|<<<|\.\.\.) /.test(line)) blocks.push({ title: line, lines: [] })
    else if (line !== '') blocks.at(-1)?.lines.push(line)
  }
  return { name: title.slice(3), prose, blocks }
}

export function printTranscript({ intro, cases }: Transcript): string {
  const printed = cases.map(({ name, prose, blocks }) => {
    const body = blocks.map(({ title, lines }) => `${[title, ...lines].join('\n')}\n`).join('\n')
    return `## ${name}\n${prose.join('\n')}\`\`\`\n${body}\`\`\`\n`
  })
  return [`${intro.join('\n')}\n`, ...printed].join('\n')
}

/** Header fields and the rest of a block's lines. */
export function splitLines(lines: readonly string[]): { fields: readonly (readonly [string, string])[]; body: readonly string[] } {
  const isField = (line: string) => /^[a-z-]+: /.test(line) && !/^(data|event|id|retry): ?/.test(line)
  const fields = lines.filter(isField).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)
  return { fields, body: lines.filter((line) => !isField(line)) }
}

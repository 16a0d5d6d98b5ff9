/** A block of shell commands of a page, with the heading that it is under. */
export interface Step {
  readonly heading: string
  readonly script: string
}

/** The `sh` blocks of a page in Markdown, in its order. */
export function stepsOf(page: string): readonly Step[] {
  const steps: Step[] = []
  let heading = ''
  for (const [, title, script] of page.matchAll(/^#+ (.*)$|^```sh\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title
    if (script !== undefined) steps.push({ heading, script })
  }
  return steps
}

/** A stream for text that may be a terminal. */
export interface Output {
  write(text: string): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  readonly isTTY?: boolean
}

/** What a command uses of its process. Data goes to `stdout`, text for people to `stderr`. */
export interface Terminal {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  cwd(): string
  on(event: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'exit', listener: () => void): unknown
  exit(code: number): void
}

/** Whether text on this output may be colored (no-color.org). */
export function hasColor(terminal: Pick<Terminal, 'env'>, output: Output): boolean {
  return output.isTTY === true && !terminal.env['NO_COLOR'] && terminal.env['TERM'] !== 'dumb'
}

export function printLine(output: Output, text: string): void {
  output.write(`${text}\n`)
}

export function printJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

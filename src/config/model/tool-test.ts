export interface ToolTest {
  readonly agent: string
  readonly claims?: Readonly<Record<string, unknown>>
  /** The `id` of an API key; not beside `claims`. */
  readonly apiKey?: string
  readonly tool: string
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly expect: 'allowed' | 'refused' | 'hidden' | 'unknown'
}

/** What is wrong with an expression, as the end of a sentence that begins with it; `at` is the character to blame. */
export interface ExpressionFault {
  readonly code: 'cel-syntax' | 'cel-unknown-variable' | 'cel-type'
  readonly text: string
  readonly hint?: string
  readonly at: number
}

/**
 * What is wrong with an expression. `text` ends a sentence that begins with the expression; `at` is the offset of the character to blame.
 */
export interface ExpressionFault {
  readonly code: 'cel-syntax' | 'cel-unknown-variable' | 'cel-type'
  readonly text: string
  readonly hint?: string
  readonly at: number
}

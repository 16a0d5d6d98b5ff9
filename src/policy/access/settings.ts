/** Who may use an agent: `agents.<name>.access` of the document. */
export interface AccessSettings {
  readonly agent: string
  /** The rule, in CEL. */
  readonly rule: string
  /** The rule's path in the document. */
  readonly place: string
}

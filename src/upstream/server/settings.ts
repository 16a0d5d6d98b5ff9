/** How one server is to be treated. Times in ms. */
export interface UpstreamSettings {
  readonly backend: string
  readonly name: string
  /** Names the place where it is: another server that is given its name has another one. */
  readonly identity: string
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly requestMs: number
  readonly listMs: number
  /** How long a list of it is used before it is asked again. */
  readonly ttlMs: number
  /** How often it is asked whether it is there, while no stream is open whose end would tell. */
  readonly checkMs: number
  readonly pages: number
  /** Entries of one of its lists. */
  readonly entriesPerList: number
  /** Characters of one of its lists. */
  readonly listChars: number
}

/** The settings of one server. Times are in ms. */
export interface UpstreamSettings {
  readonly backend: string
  readonly name: string
  /** Identifies the place that the server is at, so that another server with the same name is told apart. */
  readonly identity: string
  readonly era: 'auto' | 'legacy' | 'modern'
  readonly requestMs: number
  readonly listMs: number
  /** How long a list is used before it is requested again. */
  readonly ttlMs: number
  /** How often to check whether the server is there. While a stream is open no check is made, since the stream would end. */
  readonly checkMs: number
  readonly pages: number
  /** Bound of the entries of one list. */
  readonly entriesPerList: number
  /** Bound of the characters of one list. */
  readonly listChars: number
}

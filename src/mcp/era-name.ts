/** The protocol revisions' two families: with a handshake and sessions, or stateless with an envelope in `_meta`. */
export type EraName = 'legacy' | 'modern'

/** How a client reads lists and results: `early` are the revisions before 2025-06-18, which know no structured results. */
export type Dialect = EraName | 'early'

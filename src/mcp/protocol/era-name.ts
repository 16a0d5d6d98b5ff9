/**
 * The two families of protocol revisions: `legacy` ones have a handshake and sessions, `modern` ones are stateless, with an envelope in
 * `_meta`.
 */
export type EraName = 'legacy' | 'modern'

/** How a client understands lists and results: `early` stands for the revisions before 2025-06-18, which have no structured results. */
export type Dialect = EraName | 'early'

/** A span of time as a GEP-2257 text such as `500ms`, `5s` or `1h30m`; `durationMs` reads it. */
export type Duration = string
/** A number of bytes such as `16KiB` or `4MiB`; `sizeBytes` reads it. */
export type Size = string
/** A text that keeps its `${…}` references; `resolveSecret` gives its value. Never logged or printed when it is a literal. */
export type Secret = string

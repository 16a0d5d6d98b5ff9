import { stringify } from 'yaml'
import { configSchema, writtenBy } from '../keys/keys.ts'
import type { Config } from '../model/model.ts'
import { dropDefaults, mapTexts } from '../schema/schema.ts'
import { isPlain } from '../tree/tree.ts'
import { escapeReferences, isLiteral } from '../values/values.ts'

/**
 * A Config as a YAML document in the long form without what is default anyway: parsing it gives an equal Config.
 * Secrets are printed as the document has them; for other eyes print `redactConfig` of it.
 */
export function printConfig(config: Config): string {
  const dropped = dropDefaults(config, configSchema)
  const { [writtenBy]: version, ...short } = isPlain(dropped) ? dropped : {}
  // What these keys default to depends on other keys of a document, so they are always said.
  const whole = { ...(version === undefined ? {} : { [writtenBy]: version }), listeners: [], backends: {}, routes: [], ...short }
  const long = { ...whole, ...(whole.listeners.length === 0 ? { listeners: config.listeners } : {}) }
  return stringify(
    mapTexts(long, configSchema, (text, isSecret) => (isSecret ? text : escapeReferences(text))),
    { lineWidth: 0, aliasDuplicateObjects: false },
  )
}

/** The same Config with `[redacted]` in the place of each secret that stands in it literally; references stay. */
export function redactConfig(config: Config): Config {
  return mapTexts(config, configSchema, (text, isSecret) =>
    isSecret && isLiteral(text) ? '[redacted]' : withoutQueryValues(text),
  ) as Config
}

/** Keys of an API often stand in the query of its URL. */
function withoutQueryValues(text: string): string {
  const at = /^https?:\/\/[^?#\s]*\?/.exec(text)?.[0].length
  return at === undefined ? text : text.slice(0, at) + text.slice(at).replace(/(^|&)([^&=]*=)?[^&]*/g, '$1$2[redacted]')
}

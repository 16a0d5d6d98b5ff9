import { stringify } from 'yaml'
import { configSchema, writtenBy } from '../keys/keys.ts'
import type { Config } from '../model/model.ts'
import { dropDefaults, mapTexts } from '../schema/schema.ts'
import { isPlain } from '../tree/tree.ts'
import { escapeReferences, isLiteral } from '../values/values.ts'

/**
 * Prints a Config as YAML in the long form, without defaults; parsing it gives an equal Config. Secrets are printed as the document has
 * them: to show it to others, print `redactConfig` of it.
 */
export function printConfig(config: Config): string {
  const dropped = dropDefaults(config, configSchema)
  const { [writtenBy]: version, ...short } = isPlain(dropped) ? dropped : {}
  // The defaults of these keys depend on other keys, so they are always printed.
  const whole = { ...(version === undefined ? {} : { [writtenBy]: version }), listeners: [], backends: {}, routes: [], ...short }
  const long = { ...whole, ...(whole.listeners.length === 0 ? { listeners: config.listeners } : {}) }
  return stringify(
    mapTexts(long, configSchema, (text, isSecret) => (isSecret ? text : escapeReferences(text))),
    { lineWidth: 0, aliasDuplicateObjects: false },
  )
}

/** The same Config with `[redacted]` in place of each secret that is written in it literally; references stay. */
export function redactConfig(config: Config): Config {
  return mapTexts(config, configSchema, (text, isSecret) =>
    isSecret && isLiteral(text) ? '[redacted]' : withoutQueryValues(text),
  ) as Config
}

/** Removes the values in a URL's query, which often holds an API key. */
function withoutQueryValues(text: string): string {
  const at = /^https?:\/\/[^?#\s]*\?/.exec(text)?.[0].length
  return at === undefined ? text : text.slice(0, at) + text.slice(at).replace(/(^|&)([^&=]*=)?[^&]*/g, '$1$2[redacted]')
}

import type { AccessSettings } from './access/settings.ts'
import type { AuthenticateSettings } from './authenticate/settings.ts'
import type { AuthorizeLevel } from './authorize/settings.ts'
import type { OriginSettings } from './origin/settings.ts'

/** The settings of every policy, by the name of its folder. */
export interface PolicySettings {
  readonly origin: OriginSettings
  readonly authenticate: AuthenticateSettings
  readonly access: AccessSettings
  readonly authorize: readonly AuthorizeLevel[]
}

import type { OriginSettings } from './origin/settings.ts'

/** The settings of every policy, by its folder's name. */
export interface PolicySettings {
  readonly origin: OriginSettings
}

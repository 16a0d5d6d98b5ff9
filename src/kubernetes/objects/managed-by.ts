import type { Settings } from './settings.ts'

/**
 * The value of the label `app.kubernetes.io/managed-by` on all that this controller provisions: its controllerName, as far as a label's
 * value can hold it.
 */
export function managedBy({ controllerName }: Pick<Settings, 'controllerName'>): string {
  return controllerName
    .replace(/[^-A-Za-z0-9_.]/g, '.')
    .slice(0, 63)
    .replace(/[-_.]+$/, '')
}

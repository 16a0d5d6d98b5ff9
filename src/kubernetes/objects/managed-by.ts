import type { Settings } from './settings.ts'

/** What the label `app.kubernetes.io/managed-by` says of all that this controller provisions: its name, as far as a label takes it. */
export function managedBy({ controllerName }: Pick<Settings, 'controllerName'>): string {
  return controllerName
    .replace(/[^-A-Za-z0-9_.]/g, '.')
    .slice(0, 63)
    .replace(/[-_.]+$/, '')
}

import { keycloak } from './keycloak.ts'

/** Fetches and builds Keycloak, so that no test with a time limit spends its time on it. */
const part = await keycloak()
if (part.kind === 'ready') {
  console.log(part.value)
} else {
  console.error(part.reason)
  process.exitCode = 1
}

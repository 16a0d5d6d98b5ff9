import { helm } from './helm.ts'

/** Builds Helm, so that no test with a time limit spends its time on it. */
const part = await helm()
if (part.kind === 'ready') {
  console.log(part.value)
} else {
  console.error(part.reason)
  process.exitCode = 1
}

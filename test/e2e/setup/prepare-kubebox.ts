import { kubebox } from './kubebox.ts'

/** Builds what the tests with a real API server need, so that none of them spends its time on it. */
const part = await kubebox()
if (part.kind === 'ready') {
  console.log(part.value.program)
} else {
  console.error(part.reason)
  process.exitCode = 1
}

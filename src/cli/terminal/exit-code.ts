/** What the process says when it ends (configuration.md section 3). */
export const exitCode = {
  good: 0,
  failed: 1,
  wrongArguments: 2,
  unreachable: 69,
  bug: 70,
  badConfiguration: 78,
} as const

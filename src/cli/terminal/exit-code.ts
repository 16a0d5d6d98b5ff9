/** The exit codes of the process (docs/command-line.md, Exit codes). */
export const exitCode = {
  good: 0,
  failed: 1,
  wrongArguments: 2,
  unreachable: 69,
  bug: 70,
  badConfiguration: 78,
} as const

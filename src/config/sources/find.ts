import { join, resolve } from 'node:path'

export interface FindOptions {
  /** What `--config` says. */
  readonly flag: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly exists: (path: string) => boolean
}

/**
 * The absolute path of the document: `--config`, else `$MCPLEX_CONFIG`, else mcplex.yaml, .yml or .json in the working directory.
 * Undefined: there is none. What was named is returned whether it exists or not.
 */
export function findConfigFile({ flag, env, cwd, exists }: FindOptions): string | undefined {
  const named = flag ?? (env.MCPLEX_CONFIG || undefined)
  if (named !== undefined) return resolve(cwd, named)
  return ['mcplex.yaml', 'mcplex.yml', 'mcplex.json'].map((name) => join(cwd, name)).find(exists)
}

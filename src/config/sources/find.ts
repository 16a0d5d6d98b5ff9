import { join, resolve } from 'node:path'

export interface FindOptions {
  /** The value of `--config`. */
  readonly flag: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly exists: (path: string) => boolean
}

/**
 * The absolute path of the document: `--config`, else `$MCPLEX_CONFIG`, else mcplex.yaml, .yml or .json in the working directory; undefined
 * where there is none. A path that was named is returned even if it does not exist.
 */
export function findConfigFile({ flag, env, cwd, exists }: FindOptions): string | undefined {
  const named = flag ?? (env.MCPLEX_CONFIG || undefined)
  if (named !== undefined) return resolve(cwd, named)
  return ['mcplex.yaml', 'mcplex.yml', 'mcplex.json'].map((name) => join(cwd, name)).find(exists)
}

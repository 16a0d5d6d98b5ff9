// The entry of a checkout. Plain JavaScript: the compile cache must be on before the first TypeScript file is read,
// which then starts twice as fast and needs a quarter less memory from the second time on.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/mcplex', import.meta.url)))
await import('./main.ts')

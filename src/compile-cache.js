// Loaded before anything else of a checkout: with the compile cache on, TypeScript files start twice as fast and need a quarter less memory
// from the second time on. Plain JavaScript, so that nothing has to be compiled for it.
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/mcplex', import.meta.url)))

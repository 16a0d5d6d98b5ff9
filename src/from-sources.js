// The entry of a checkout: the compile cache first, then everything else.
import './compile-cache.js'

await import('./main.ts')

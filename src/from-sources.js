// The entry of a checkout: the compile cache first, then everything else.
import './compile-cache.js'

// Node would open a debugger.
process.on('SIGUSR1', () => {})
await import('./main.ts')

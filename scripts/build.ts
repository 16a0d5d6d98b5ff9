import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Bundles the command line with all it needs into `dist/mcplex.js` and chunks, which commands that import lazily load when they run, and
 * beside them the licenses of what went in.
 */
async function buildBundle(root: string): Promise<void> {
  const dist = join(root, 'dist')
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { mcplex: 'src/main.ts' },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    // CommonJS packages call require() for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
  })
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), licenses(root, Object.keys(metafile.inputs)))
}

/** One section a package: name, version, license and the text of its license file. */
function licenses(root: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  const sections = [...folders].sort().map((folder) => {
    const path = join(root, folder)
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    const file = readdirSync(path).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
    const text = file === undefined ? '' : `\n${readFileSync(join(path, file), 'utf8').trim()}\n`
    return `${name} ${version} (${license})\n${text}`
  })
  return `mcplex contains these packages.\n\n${sections.join(`\n${'-'.repeat(80)}\n`)}`
}

const root = fileURLToPath(new URL('..', import.meta.url))
await buildBundle(root)

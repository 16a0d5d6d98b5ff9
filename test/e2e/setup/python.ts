import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { must, prepared } from './cache.ts'
import { run } from './child.ts'
import { missing, type Part, ready } from './part.ts'

/** The path of a Python with mcp 1.30: the seed's servers run on it, and it is a client of the legacy era. */
export const python1 = (): Promise<Part<string>> => python('mcp-1.30.0', ['mcp[cli]<2,==1.30.0', 'uvicorn==0.54.0', 'starlette==1.10.0'])

/** The path of a Python with mcp 2.3: client and server of both eras. */
export const python2 = (): Promise<Part<string>> => python('mcp-2.3.0', ['mcp==2.3.0', 'uvicorn==0.54.0', 'starlette==1.10.0'])

async function python(name: string, requirements: readonly string[]): Promise<Part<string>> {
  const version = await run('python3', ['-c', 'import venv, ensurepip, sys; assert sys.version_info >= (3, 10); print(sys.version)'])
  if (version.code !== 0) return missing('needs python3 of at least 3.10 with venv')
  const key = createHash('sha256')
    .update(JSON.stringify([version.stdout, requirements]))
    .digest('hex')
    .slice(0, 8)
  const made = await prepared(`python-${name}-${key}`, async (directory) => {
    await must('python3', ['-m', 'venv', directory])
    await must(join(directory, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements])
  })
  return made.kind === 'ready' ? ready(join(made.value, 'bin/python')) : made
}

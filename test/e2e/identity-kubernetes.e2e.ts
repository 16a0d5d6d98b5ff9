import { join } from 'node:path'
import { test } from 'node:test'
import { kubebox } from './setup/kubebox.ts'
import { runOnOwnMachine } from './setup/own-machine.ts'
import { need } from './setup/part.ts'

// What needs Go's module proxy is fetched before: the machine of the test reaches nobody. On its own one, the ports of a pod are free.
const box = await kubebox()
const machine = box.kind === 'missing' ? box : runOnOwnMachine(join(import.meta.dirname, 'identity-kubernetes/steps.ts'))
if (machine.kind === 'ready') process.exitCode = await machine.value
else test('identity by objects of an API server', (t) => need(t, Promise.resolve(machine)))

import { join } from 'node:path'
import { test } from 'node:test'
import { conformanceSuite } from '../setup/conformance.ts'
import { kubebox } from '../setup/kubebox.ts'
import { nodePackages } from '../setup/node-cluster.ts'
import { runOnOwnMachine } from '../setup/own-machine.ts'
import { need } from '../setup/part.ts'

// What needs a package registry is fetched before: the machine of the test reaches nobody.
const box = await kubebox()
const suite = box.kind === 'missing' ? box : await conformanceSuite(box.value)
const absent = [nodePackages(), suite].find((part) => part.kind === 'missing')
const machine = absent ?? runOnOwnMachine(join(import.meta.dirname, 'conformance.ts'))
if (machine.kind === 'ready') process.exitCode = await machine.value
else test('conformance to the Gateway API', (t) => need(t, Promise.resolve(machine)))

import { join } from 'node:path'
import { test } from 'node:test'
import { helm } from '../setup/helm.ts'
import { inspector } from '../setup/inspector.ts'
import { kubebox } from '../setup/kubebox.ts'
import { nodePackages } from '../setup/node-cluster.ts'
import { pythonImage } from '../setup/node-images.ts'
import { runOnOwnMachine } from '../setup/own-machine.ts'
import { need } from '../setup/part.ts'

// What needs a package registry is fetched before: the machine of the test reaches nobody.
const parts = [nodePackages(), await kubebox(), await helm(), await pythonImage(), await inspector('0.16.2'), await inspector('2.12.0')]
const absent = parts.find((part) => part.kind === 'missing')
const machine = absent ?? runOnOwnMachine(join(import.meta.dirname, 'steps.ts'))
if (machine.kind === 'ready') process.exitCode = await machine.value
else test('pods on a node', (t) => need(t, Promise.resolve(machine)))

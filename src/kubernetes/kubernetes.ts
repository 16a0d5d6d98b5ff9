export { documentWithoutEndpoints } from './backends/backends.ts'
export {
  type Controller,
  type ControllerDeps,
  type ControllerMetrics,
  type ControllerSettings,
  createControllerMetrics,
  ownAccount,
  startController,
} from './controller/controller.ts'
export {
  type DesiredStatus,
  type DocumentProblem,
  defaultSettings,
  type KubeObject,
  nameKey,
  type ObjectRef,
  type ReadObjects,
  readObjects,
  refOf,
  titleOf,
  valueAt,
} from './objects/objects.ts'
export type { GatewayPlan } from './provision/provision.ts'
export { translate } from './translation/translation.ts'

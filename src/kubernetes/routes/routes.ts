export { readRoutes } from './read-routes.ts'
export { isZero } from './route-rules.ts'
export type { BackendRefView, ParentView, RouteView, RuleView } from './route-view.ts'

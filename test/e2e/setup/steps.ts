import type { Listed, Operation } from './script.ts'

/** An operation of a script, in the server's own names. */
export interface Step {
  readonly operation: Operation
  /** A JSON-RPC error is the right answer. */
  readonly fails?: true
  /** Why a modern client can't have this of a legacy server, in the words of the one who reads a failing test. */
  readonly beyondModernClient?: string
  /** Why the server itself answers otherwise in its other era. */
  readonly differsByEra?: string
}

export const lists: readonly Listed[] = ['tools', 'prompts', 'resources', 'resource_templates']

const call = (tool: string, args: Record<string, unknown> = {}): Step => ({ operation: { do: 'call', tool, arguments: args } })
const read = (uri: string): Step => ({ operation: { do: 'read', uri } })
const failing = (step: Step): Step => ({ ...step, fails: true })
const prompt = (name: string, args: Record<string, string> = {}): Step => ({ operation: { do: 'prompt', name, arguments: args } })
const level = (least: 'debug' | 'warning'): Step => ({ operation: { do: 'level', level: least } })
const subscribe = (uri: string): Step => ({ operation: { do: 'subscribe', uri } })
const unsubscribe = (uri: string): Step => ({ operation: { do: 'unsubscribe', uri } })
const hear = (what: 'log' | 'update', holding: string): Step => ({ operation: { do: 'hear', what, holding } })
const beyond = (step: Step, beyondModernClient: string): Step => ({ ...step, beyondModernClient })

function complete(ref: ['prompt' | 'resource', string], name: string, value: string, context?: Record<string, string>): Step {
  const reference = ref[0] === 'prompt' ? ({ type: 'ref/prompt', name: ref[1] } as const) : ({ type: 'ref/resource', uri: ref[1] } as const)
  return { operation: { do: 'complete', ref: reference, argument: { name, value }, ...(context === undefined ? {} : { context }) } }
}

const ofNoCall = 'it comes on the stream of the session and belongs to no call'
const documents = ['architecture', 'extension', 'features', 'how-it-works', 'instructions', 'startup', 'structure']
const document = (name: string) => `demo://resource/static/document/${name}.md`
const page = { url: 'https://example.com/sign', message: 'Sign here.' }

/**
 * All that server-everything can be asked and that comes out the same each time. Left out: get-env (the environment of the tests),
 * and simulate-research-query and the async tools, which need tasks.
 */
export const everythingSteps: readonly Step[] = [
  level('debug'),
  call('echo', { message: 'grüße, 世界 "\\ \n\u2028' }),
  beyond(hear('log', 'Roots updated'), ofNoCall),
  call('echo', { wrong: true }),
  call('get-sum', { a: 1.5, b: -3 }),
  call('get-structured-content', { location: 'Chicago' }),
  call('get-annotated-message', { messageType: 'error', includeImage: true }),
  call('get-annotated-message', { messageType: 'debug' }),
  call('get-tiny-image'),
  call('get-resource-links', { count: 4 }),
  call('get-resource-reference', { resourceType: 'Text', resourceId: 3 }),
  call('get-resource-reference', { resourceType: 'Blob', resourceId: 4 }),
  call('get-resource-reference', { resourceId: -1 }),
  call('get-roots-list'),
  call('trigger-long-running-operation', { duration: 0.1, steps: 4 }),
  call('trigger-sampling-request', { prompt: 'hello', maxTokens: 7 }),
  call('trigger-elicitation-request'),
  call('trigger-url-elicitation', { ...page, elicitationId: 'sign-1' }),
  failing(call('trigger-url-elicitation', { ...page, elicitationId: 'sign-2', errorPath: true })),
  call('trigger-url-elicitation', { ...page, elicitationId: 'sign-2', errorPath: true }),
  call('gzip-file-as-resource', { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resourceLink' }),
  read('demo://resource/session/a.gz'),
  call('gzip-file-as-resource', { name: 'b.gz', data: 'data:text/plain,hello', outputType: 'resource' }),
  ...documents.map((name) => read(document(name))),
  read('demo://resource/dynamic/text/5'),
  read('demo://resource/dynamic/blob/6'),
  failing(read('demo://resource/dynamic/text/none')),
  failing(read('demo://nowhere')),
  prompt('simple-prompt'),
  prompt('args-prompt', { city: 'Berlin' }),
  prompt('args-prompt', { city: 'Springfield', state: 'Ohio' }),
  prompt('completable-prompt', { department: 'Sales', name: 'Eve' }),
  prompt('resource-prompt', { resourceType: 'Text', resourceId: '2' }),
  prompt('resource-prompt', { resourceType: 'Blob', resourceId: '2' }),
  failing(prompt('args-prompt')),
  complete(['prompt', 'completable-prompt'], 'department', 'S'),
  complete(['prompt', 'completable-prompt'], 'name', 'D', { department: 'Sales' }),
  complete(['prompt', 'resource-prompt'], 'resourceType', ''),
  complete(['resource', 'demo://resource/dynamic/text/{resourceId}'], 'resourceId', '12'),
  subscribe(document('features')),
  beyond(hear('log', 'Received Subscribe'), ofNoCall),
  call('toggle-subscriber-updates'),
  beyond(
    hear('update', 'features'),
    'the server sends updates to the session that was called only, and subscriptions have a session of their own',
  ),
  call('toggle-subscriber-updates'),
  unsubscribe(document('features')),
  beyond(hear('log', 'Received Unsubscribe'), ofNoCall),
  call('toggle-simulated-logging'),
  beyond(hear('log', ' - SessionId'), ofNoCall),
  call('toggle-simulated-logging'),
]

const rules = 'library://rules'

/** All of fixtures/library-server.py. */
export const librarySteps: readonly Step[] = [
  level('warning'),
  call('describe', { title: 'größe \u2029' }),
  call('describe', { copies: 'many' }),
  call('count', { to: 3 }),
  call('chatter'),
  ...['warning', 'error', 'critical', 'alert', 'emergency'].map((least) => hear('log', least)),
  level('debug'),
  call('chatter'),
  ...['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'].map((least) => hear('log', least)),
  call('register'),
  call('borrow'),
  call('suggest', { topic: 'whales' }),
  call('shelves'),
  call('pay'),
  call('catalogue'),
  call('cover'),
  call('shelf'),
  call('lose', { title: 'Momo' }),
  failing(call('burn', { title: 'Momo' })),
  read(rules),
  read('library://logo'),
  read('ui://library/shelf'),
  read('https://example.com/house'),
  read('library://books/2'),
  read('library://search?words=sea&limit=3'),
  failing(read('library://books/9')),
  failing(read('library://nowhere')),
  prompt('greet'),
  prompt('recommend', { genre: 'novel' }),
  prompt('recommend', { genre: 'poem', reader: 'Ada' }),
  { ...failing(prompt('recommend')), differsByEra: 'in the modern era mcp 2.3 says no more than -32603' },
  complete(['prompt', 'recommend'], 'genre', 'nov'),
  complete(['prompt', 'recommend'], 'genre', 'p', { reader: 'Ada' }),
  complete(['prompt', 'recommend'], 'reader', 'x'),
  complete(['resource', 'library://books/{number}'], 'number', ''),
  subscribe(rules),
  call('touch', { uri: 'library://logo' }),
  call('touch', { uri: rules }),
  hear('update', 'rules'),
  unsubscribe(rules),
  call('touch', { uri: rules }),
]

/** A tool of the demo: its entry in `tools/list`, and a function from checked arguments to its answer. */
export interface DemoTool {
  readonly definition: {
    readonly name: string
    readonly title: string
    readonly description: string
    readonly inputSchema: {
      readonly type: 'object'
      readonly properties: Readonly<Record<string, { readonly type: 'number'; readonly description: string }>>
      readonly required: readonly string[]
      readonly additionalProperties: false
    }
    readonly annotations: { readonly readOnlyHint: true; readonly openWorldHint: false }
  }
  readonly run: (numbers: Readonly<Record<string, number>>) => string
}

export function mathTools(): readonly DemoTool[] {
  const operands = { a: { type: 'number', description: 'First number' }, b: { type: 'number', description: 'Second number' } } as const
  return [
    tool('add', 'Add', 'Adds two numbers.', operands, ({ a = 0, b = 0 }) => String(a + b)),
    tool('multiply', 'Multiply', 'Multiplies two numbers.', operands, ({ a = 0, b = 0 }) => String(a * b)),
  ]
}

export function dateTools(now: () => number): readonly DemoTool[] {
  const today = () => new Date(now()).toISOString().slice(0, 10)
  return [tool('get_current_date', 'Current date', 'Returns the current date in UTC as YYYY-MM-DD.', {}, today)]
}

/** Calls a tool; arguments that don't fit its input schema give a result with `isError`. */
export function callTool(tool: DemoTool, args: unknown): { content: readonly { type: 'text'; text: string }[]; isError: boolean } {
  const { properties, required } = tool.definition.inputSchema
  const given = args ?? {}
  const text = (text: string, isError: boolean) => ({ content: [{ type: 'text' as const, text }], isError })
  if (typeof given !== 'object' || Array.isArray(given)) return text('arguments must be an object', true)
  const missing = required.find((name) => !Object.hasOwn(given, name))
  if (missing !== undefined) return text(`${missing} is missing`, true)
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(properties, name)) return text(`${name} is not an argument of ${tool.definition.name}`, true)
    if (typeof value !== 'number') return text(`${name} must be a number`, true)
  }
  return text(tool.run(given as Record<string, number>), false)
}

function tool(
  name: string,
  title: string,
  description: string,
  properties: DemoTool['definition']['inputSchema']['properties'],
  run: DemoTool['run'],
): DemoTool {
  const inputSchema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false } as const
  return { definition: { name, title, description, inputSchema, annotations: { readOnlyHint: true, openWorldHint: false } }, run }
}

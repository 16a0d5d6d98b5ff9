/**
 * About how many tokens a tool costs each time a model is shown it: the characters of its name, description and input
 * schema as JSON, divided by four. Tokenizers differ by a fifth or so; show it with "≈".
 */
export function toolTokens(tool: string): number {
  const { name, description, inputSchema } = JSON.parse(tool) as Record<string, unknown>
  return Math.ceil(JSON.stringify({ name, description, inputSchema }).length / 4)
}

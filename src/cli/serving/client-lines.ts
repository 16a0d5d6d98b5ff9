/**
 * How to connect a client to an endpoint: a line for each client for which one line is enough. docs/clients.md has the others.
 * @param name the name of the endpoint in the client
 */
export function clientLines(name: string, url: string): string[] {
  const [label, address] = [quoted(name), quoted(url)]
  return [
    'To connect a client (Claude Desktop, Windsurf, Gemini CLI and others: docs/clients.md):',
    `  Claude Code  claude mcp add --transport http ${label} ${address}`,
    `  Codex        codex mcp add ${label} --url ${address}`,
    `  VS Code      code --add-mcp ${quoted(JSON.stringify({ name, type: 'http', url }))}`,
    `  Cursor       ${JSON.stringify({ mcpServers: { [name]: { url } } })}`,
  ]
}

/** Quotes a text as one word of a shell. */
function quoted(text: string): string {
  return /^[-\w./:]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/**
 * How clients are told of an endpoint, a line each for those that take it in one; the other forms are in docs/clients.md, which this
 * follows.
 * @param name what clients call it
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

/** As one word of a shell. */
function quoted(text: string): string {
  return /^[-\w./:]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

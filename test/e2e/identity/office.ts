import { createServer } from 'node:http'
import type { TestContext } from 'node:test'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { atEnd } from '../setup/at-end.ts'
import { freePort } from '../setup/ports.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Four servers, and their 60 tools. */
export const toolsOf = {
  github: words(`
    list_issues get_issue create_issue update_issue close_issue add_issue_comment list_pull_requests get_pull_request create_pull_request
    merge_pull_request review_pull_request list_branches create_branch delete_branch list_commits get_commit get_file put_file search_code
    search_issues list_releases create_release list_workflows run_workflow delete_repository`),
  kubernetes: words(`
    list_pods get_pod get_logs list_events list_nodes get_node list_deployments get_deployment restart_deployment scale_deployment
    apply_manifest delete_pod delete_namespace list_services get_service list_config_maps get_config_map get_secret drain_node exec_command`),
  ledger: words(`
    list_invoices get_invoice create_invoice approve_invoice list_payments make_payment get_balance list_accounts close_period
    export_report`),
  mail: words('list_messages get_message send_message delete_message search_messages'),
} as const

/** All tools by the names that mcplex gives them, in the document's order. */
export const allTools = Object.entries(toolsOf).flatMap(([server, tools]) => tools.map((tool) => `${server}_${tool}`))

/** Who may use what, as an author writes it. */
export const agents = {
  sre: {
    selects: 'github_list_issues, "kubernetes_*_deployment", "!kubernetes_scale_deployment", kubernetes_get_logs, kubernetes_list_pods',
  },
  accountant: { selects: '"ledger_*_invoice", "!ledger_approve_invoice", mail_send_message' },
} as const
export type Agent = keyof typeof agents

/** What `agents` come to: 5 tools and 3. */
export const shownTo: Readonly<Record<Agent, readonly string[]>> = {
  sre: words('github_list_issues kubernetes_list_pods kubernetes_get_logs kubernetes_get_deployment kubernetes_restart_deployment'),
  accountant: words('ledger_get_invoice ledger_create_invoice mail_send_message'),
}

export interface Office {
  /** The `servers:` of a document. */
  readonly document: string
  /** The names under which tools were called at the servers, in order. */
  readonly called: readonly string[]
}

/** Starts the four servers, of both eras. Each tool says its name. */
export async function openOffice(t: TestContext): Promise<Office> {
  const called: string[] = []
  const lines: string[] = []
  for (const [server, tools] of Object.entries(toolsOf)) lines.push(`  ${server}: ${await serve(t, server, tools, called)}`)
  return { document: `servers:\n${lines.join('\n')}\n`, called }
}

async function serve(t: TestContext, server: string, tools: readonly string[], called: string[]): Promise<string> {
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name: server, version: '1.0.0' })
    for (const tool of tools) {
      mcp.registerTool(tool, { description: tool.replaceAll('_', ' ') }, () => {
        called.push(`${server}_${tool}`)
        return { content: [{ type: 'text', text: `${server} did ${tool}` }] }
      })
    }
    return mcp
  })
  const serveMcp = toNodeHandler(handler)
  const http = createServer((request, response) => void serveMcp(request as NodeIncomingMessageLike, response))
  const port = await freePort()
  http.listen(port, '127.0.0.1')
  atEnd(t, () => {
    http.closeAllConnections()
    http.close()
  })
  return `http://127.0.0.1:${port}/mcp`
}

/** The configuration as a file that people go on with: what came from where, which variables it wants, what else there is. Pure. */
import { Document, isMap, isScalar, visit } from 'yaml';
import type { WantedVariable } from './plan.js';

export interface RenderedServer {
  readonly name: string;
  readonly entry: Readonly<Record<string, unknown>>;
  readonly comment: string;
}

/** Settings that are asked for first. The file says what holds without them. */
const MORE = ` More settings, to be taken out of the comment; docs/configuration.md has them all.
   auth:
     mode: required        # who may come in; needs JWT_SECRET (viable token create NAME makes tokens)
   audit:
     path: audit.jsonl     # who did what
   telemetry:
     endpoint: http://localhost:4318   # traces and metrics, OTLP/HTTP
   requests:
     timeout: 60000        # milliseconds from a request to its answer

 What may be set for each server, below it:
   viable:
     deny: [delete_*]      # tools that nobody gets to see
     sharing: session      # a process or connection of its own for each client`;

const EXAMPLE = `   files:
     command: npx
     args: [-y, '@modelcontextprotocol/server-filesystem', '\${HOME}/notes']
   docs:
     url: https://mcp.example.com/mcp
     headers: { Authorization: 'Bearer \${DOCS_TOKEN}' }`;

export function renderYaml(
  servers: readonly RenderedServer[],
  variables: readonly WantedVariable[],
  output: string,
): string {
  const document = new Document({
    mcpServers: Object.fromEntries(servers.map(({ name, entry }) => [name, entry])),
    gateway: { listen: { host: '127.0.0.1', port: 4000 } },
  });
  document.commentBefore = head(variables, output);
  const group: unknown = document.get('mcpServers');
  if (isMap(group)) {
    if (servers.length === 0) group.commentBefore = ` Servers go here, as in the files of MCP clients:\n${EXAMPLE}`;
    group.items.forEach((pair, index) => {
      const comment = servers[index]?.comment;
      if (isScalar(pair.key) && comment !== undefined) pair.key.commentBefore = ` ${comment}`;
    });
  }
  visit(document, {
    Seq: (_, list) => {
      list.flow = true;
    },
  });
  document.comment = MORE;
  return document.toString({ lineWidth: 120 });
}

export function renderJson(servers: readonly RenderedServer[]): string {
  const mcpServers = Object.fromEntries(servers.map(({ name, entry }) => [name, entry]));
  return `${JSON.stringify({ mcpServers, gateway: { listen: { host: '127.0.0.1', port: 4000 } } }, null, 2)}\n`;
}

function head(variables: readonly WantedVariable[], output: string): string {
  const lines = [
    ' The servers behind the Viable gateway. A running gateway takes changes over as they are saved.',
    ` Look whether all is well:  viable doctor --config ${output}`,
  ];
  if (variables.length > 0) lines.push('', ' Environment variables that it wants:');
  for (const { name, from, description } of variables)
    lines.push(`   ${name}  (${oneLine(description === null ? from : `${description}; ${from}`)})`);
  return lines.join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

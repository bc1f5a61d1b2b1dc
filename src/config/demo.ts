/**
 * The configuration without a file: three real MCP servers from npm (everything, memory, filesystem) on a folder of
 * sample files, so that a first start has something to show.
 *
 * The servers are dependencies of this package and run with the very Node that runs the gateway; nothing is fetched.
 */
import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { resolveDocument } from './resolve.js';
import type { ConfigOverrides, Environment, LoadResult } from './types.js';

/** Where the demo keeps its files, and what else is set. */
export interface DemoOptions {
  readonly env: Environment;
  readonly overrides?: ConfigOverrides;
  /** Folder for the sample files and the memory. Absent: `demoFolder(env)`. */
  readonly folder?: string;
}

const SAMPLES: Readonly<Record<string, string>> = {
  'welcome.md': `# Welcome

These files are served by the filesystem server of the demo. Ask your MCP client to list this folder, to read
\`shopping.csv\`, or to write a haiku into \`haiku.txt\`.
`,
  'shopping.csv': 'item,quantity,price\nbread,1,3.20\napples,6,2.70\ncoffee,2,9.90\n',
  'ideas.txt':
    'Things to try\n- put your own servers into a configuration file\n- kill a server and watch it come back\n',
};

/** `$XDG_DATA_HOME/viable/demo`, or a folder of this user in the temporary directory. */
export function demoFolder(env: Environment): string {
  const data = env['XDG_DATA_HOME'];
  if (data !== undefined && path.isAbsolute(data)) return path.join(data, 'viable', 'demo');
  return path.join(os.tmpdir(), `viable-demo-${os.userInfo().uid}`);
}

/** The demo, its folder made ready. What a user changed there stays. */
export async function demoConfig({ env, overrides = {}, folder = demoFolder(env) }: DemoOptions): Promise<LoadResult> {
  const files = path.join(folder, 'files');
  const refusal = await prepareFolder(folder, files);
  if (refusal !== undefined) {
    return { ok: false, problems: [{ path: '', message: refusal, suggestion: 'start with `--config FILE`' }] };
  }
  const [everything, memory, filesystem] = await Promise.all([
    binScript('@modelcontextprotocol/server-everything'),
    binScript('@modelcontextprotocol/server-memory'),
    binScript('@modelcontextprotocol/server-filesystem'),
  ]);
  const node = literal(process.execPath);
  const document = {
    mcpServers: {
      everything: { command: node, args: [literal(everything), 'stdio'] },
      memory: {
        command: node,
        args: [literal(memory)],
        env: { MEMORY_FILE_PATH: literal(path.join(folder, 'memory.jsonl')) },
      },
      filesystem: { command: node, args: [literal(filesystem), literal(files)] },
    },
  };
  return resolveDocument(document, { file: null, baseDir: folder, env, overrides });
}

/** Makes the folder and, the first time, its sample files. Returns why it cannot be used, if so. */
async function prepareFolder(folder: string, files: string): Promise<string | undefined> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await lstat(folder);
    // The temporary directory is everybody's: never write through another user's folder or link.
    if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
      return `the folder of the demo, ${folder}, belongs to somebody else`;
    }
    const isNew = (await mkdir(files, { recursive: true, mode: 0o700 })) !== undefined;
    if (!isNew) return undefined;
    await Promise.all(Object.entries(SAMPLES).map(([name, text]) => writeFile(path.join(files, name), text)));
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return `the folder of the demo, ${folder}, cannot be made (${code})`;
  }
}

/** The script behind a package's only command, found as any import from here would find it. */
async function binScript(name: string): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
  const { bin } = JSON.parse(await readFile(manifest, 'utf8')) as { bin: string | Record<string, string> };
  const script = typeof bin === 'string' ? bin : Object.values(bin)[0];
  if (script === undefined) throw new Error(`${name} has no command`);
  return path.join(path.dirname(manifest), script);
}

/** A path may hold `${`; it is no variable. */
function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

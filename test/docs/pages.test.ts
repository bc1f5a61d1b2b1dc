/** Generated pages are what the code renders, and written ones name only commands, options and codes that exist. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CliIo } from '#src/cli/context.js';
import { EXIT_CODES } from '#src/cli/exit-codes.js';
import { runCli } from '#src/cli/program.js';
import { configJsonSchema, loadConfig, parseProcessOptions } from '#src/config/index.js';
import { TREE } from '#src/supervisors/tree.js';
import { pages, readPage, readProject, ROOT, sectionOf } from './markdown.js';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

const { scripts } = JSON.parse(readProject('package.json')) as { scripts: Readonly<Record<string, string>> };

/** Whether a file may have a value at this path of keys. */
function inSchema(keys: readonly string[]): boolean {
  let schema: Schema = configJsonSchema() as Schema;
  for (const key of keys) {
    const others: Schema['additionalProperties'] = schema.additionalProperties;
    const next: Schema | undefined = schema.properties?.[key] ?? (typeof others === 'object' ? others : undefined);
    if (next === undefined) return false;
    schema = next;
  }
  return true;
}

/** Keys in the first column of the tables of a section. */
function keysOf(section: string): string[] {
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key = '']) => key);
}

async function help(...args: string[]): Promise<string> {
  let text = '';
  const io: CliIo = {
    stdout: { write: (part) => (text += part) },
    stderr: { write: (part) => (text += part) },
    env: {},
    signal: new AbortController().signal,
    sleep: () => Promise.resolve(),
    run: () => Promise.resolve(0),
    serveStdio: () => Promise.resolve(),
    startGateway: () => Promise.reject(new Error('not here')),
    openTokens: () => Promise.reject(new Error('not here')),
    verifyToken: () => Promise.reject(new Error('not here')),
    examine: () => Promise.reject(new Error('not here')),
    planSetup: () => Promise.reject(new Error('not here')),
    checkSetup: () => Promise.reject(new Error('not here')),
    confirm: () => Promise.resolve(true),
  };
  assert.equal(await runCli([...args, '--help'], io), 0);
  return text;
}

async function subcommands(): Promise<string[]> {
  const list = /\nCommands:\n([^]*?)\n\n/.exec(await help())?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

/** `--long` options in a text. */
function flags(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag));
}

function processHelp(): string {
  const parsed = parseProcessOptions(['--help'], {}, '0');
  assert.ok(!parsed.ok);
  return parsed.text;
}

describe('docs/pages', () => {
  it('generated pages are what the code renders (npm run docs)', async () => {
    const module = (await import(pathToFileURL(path.join(ROOT, 'scripts/pages.mjs')).href)) as {
      pages: Readonly<Record<string, string>>;
    };
    const entries = Object.entries(module.pages);
    assert.ok(entries.length >= 4);
    for (const [name, text] of entries) assert.equal(readProject(`docs/${name}`), text, name);
  });

  it('every npm script that a page names exists', () => {
    const named = pages().flatMap(({ text, path: file }) =>
      [...text.matchAll(/\bnpm (?:run ([\w:]+)|(test|start)\b)/g)].map(([, run, own = '']) => ({
        file,
        script: run ?? own,
      })),
    );
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter(({ script }) => !(script in scripts)),
      [],
    );
  });

  it('the README starts and tests with two commands', () => {
    const { text } = readPage('README.md');
    for (const command of ['npm ci && npm start', 'npm ci && npm test']) assert.ok(text.includes(command), command);
  });

  it('every option of docs/configuration.md is one that a file may have, and the other way round', async () => {
    const page = readPage('docs/configuration.md');
    const loaded = await loadConfig({ env: {} });
    assert.ok(loaded.ok);
    const running: Readonly<Record<string, object>> = { ...loaded.config.gateway };
    const blocks = [...page.text.matchAll(/^### `gateway\.(\w+)(?:\.<name>)?`$/gm)].map(([, name = '']) => name);
    assert.deepEqual(blocks.toSorted(), Object.keys(running).toSorted());
    for (const block of blocks.filter((name) => name !== 'toolsets')) {
      const section = sectionOf(page, `### \`gateway.${block}\``) ?? '';
      // A block within a block stands as `search.enabled`.
      const keys = new Set(keysOf(section).map((key) => key.split('.')[0] ?? key));
      assert.deepEqual([...keys].toSorted(), Object.keys(running[block] ?? {}).toSorted(), block);
      for (const key of keysOf(section))
        assert.ok(inSchema(['gateway', block, ...key.split('.')]), `gateway.${block}.${key}`);
    }
    const serverKeys = keysOf(sectionOf(page, '## A server') ?? '');
    assert.ok(serverKeys.length > 10);
    for (const key of serverKeys) assert.ok(inSchema(['mcpServers', 'any', ...key.split('.')]), key);
    const commandLine = flags(sectionOf(page, '## Command line') ?? '');
    assert.deepEqual(commandLine, new Set([...flags(processHelp())].filter((flag) => !/--(help|version)/.test(flag))));
  });

  it('every setting that a page names exists', () => {
    // The page of metrics has names of its own.
    const written = pages().filter(({ path: file }) => file !== 'docs/metrics.md');
    const unknown = written.flatMap(({ text, path: file }) => {
      const settings = [...text.matchAll(/`gateway((?:\.[a-zA-Z]+)+)`/g)].map(([, keys = '']) => `gateway${keys}`);
      const own = [...text.matchAll(/`viable((?:\.[a-zA-Z]+)+)`/g)].map(
        ([, keys = '']) => `mcpServers.any.viable${keys}`,
      );
      return [...settings, ...own].filter((keys) => !inSchema(keys.split('.'))).map((keys) => `${file}: ${keys}`);
    });
    assert.deepEqual(unknown, []);
  });

  it('every variable VIABLE_… that a page names exists', async () => {
    const known = new Set(`${processHelp()}${await help('token')}`.match(/VIABLE_[A-Z_]+/g));
    const named = pages().flatMap(({ text }) => text.match(/VIABLE_[A-Z_]+/g) ?? []);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  it('docs/cli.md has a section for each command, with its options', async () => {
    const page = readPage('docs/cli.md');
    const names = await subcommands();
    assert.ok(names.includes('status') && names.includes('logs'), names.join());
    for (const name of names) {
      const section = sectionOf(page, `## viable ${name}`);
      assert.ok(section !== undefined, name);
      const missing = [...flags((await help(name)).split('Examples:')[0] ?? '')].filter(
        (flag) => !['--socket', '--port', '--json', '--help'].includes(flag) && !section.includes(flag),
      );
      assert.deepEqual(missing, [], name);
    }
  });

  it('pages use subcommands that exist', async () => {
    const names = new Set([...(await subcommands()), 'help']);
    const used = pages()
      .filter(({ path: file }) => file.startsWith('docs/') || file === 'README.md')
      .flatMap(({ text, path: file }) =>
        [...text.matchAll(/(?:`|^|\$ )viable ([a-z][a-z-]*)/gm)].map(([, name = '']) => ({ file, name })),
      );
    assert.deepEqual(
      used.filter(({ name, file }) => !names.has(name) && file !== 'docs/configuration.md'),
      [],
    );
  });

  it('exit codes: docs/cli.md has those of the command, docs/operations.md those of the process', () => {
    const codes = (section: string | undefined): number[] =>
      [...(section ?? '').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code)).toSorted((a, b) => a - b);
    assert.deepEqual(codes(sectionOf(readPage('docs/cli.md'), '## Exit codes')), Object.values(EXIT_CODES));
    const table = /const EXIT = \{([^}]+)\}/.exec(readProject('src/main.ts'))?.[1] ?? '';
    const own = [...table.matchAll(/: (\d+)/g)].map(([, code]) => Number(code));
    assert.ok(own.length > 3);
    const documented = codes(sectionOf(readPage('docs/operations.md'), '## Exit codes'));
    assert.deepEqual(
      documented,
      [...own, 2].toSorted((a, b) => a - b),
    );
  });

  it('the README’s tree is the upper part of the real one', () => {
    const diagram = /```mermaid\n([^]*?)```/.exec(readPage('README.md').text)?.[1] ?? '';
    const ids = TREE.children.flatMap((branch) => [branch.id, ...branch.children.map((child) => child.id)]);
    for (const id of ids) assert.ok(diagram.includes(`"${id}`), id);
  });
});

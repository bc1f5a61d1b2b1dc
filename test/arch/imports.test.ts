/** The layering of the code, enforced. The rules are in `.dependency-cruiser.cjs`. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkImports, rules } from '../support/architecture.js';

const FOLDERS = ['src', 'tui', 'web', 'bench'];

/**
 * For each rule an import that breaks it, and for some an import that is close and allowed: a rule that never fires
 * enforces nothing.
 */
const CASES: readonly {
  readonly rule: string;
  readonly files: Readonly<Record<string, string>>;
  readonly allowed?: boolean;
}[] = [
  {
    rule: 'no-cycles',
    files: {
      'src/actors/a.ts': "import { B } from './b.js';\nexport const A = () => B;",
      'src/actors/b.ts': "import { A } from './a.js';\nexport const B = () => A;",
    },
  },
  {
    rule: 'no-cycles',
    files: {
      'src/actors/a.ts': "import { type B } from './b.js';\nexport interface A { b: B }",
      'src/actors/b.ts': "import { type A } from './a.js';\nexport interface B { a: A }",
    },
    allowed: true,
  },
  {
    rule: 'no-type-cycles',
    files: {
      'src/admin/a.ts': "import { type B } from './b.js';\nexport interface A { b: B }",
      'src/admin/b.ts': "import { type A } from './a.js';\nexport interface B { a: A }",
    },
  },
  { rule: 'resolvable', files: { 'src/actors/a.ts': "import './nowhere.js';" } },
  { rule: 'listed-packages', files: { 'src/actors/a.ts': "import 'fast-check';" } },
  { rule: 'kernel-knows-no-gateway', files: { 'src/kernel/a.ts': "import '../protocol/text.js';" } },
  { rule: 'kernel-has-one-door', files: { 'src/actors/a.ts': "import '../kernel/cell.js';" } },
  { rule: 'kernel-has-one-door', files: { 'bench/a.ts': "import '#src/kernel/cell.js';" } },
  { rule: 'kernel-has-one-door', files: { 'src/actors/a.ts': "import '../kernel/index.js';" }, allowed: true },
  { rule: 'protocol-knows-nobody', files: { 'src/protocol/a.ts': "import '../kernel/index.js';" } },
  { rule: 'protocol-does-no-io', files: { 'src/protocol/a.ts': "import 'node:http';" } },
  { rule: 'protocol-does-no-io', files: { 'src/protocol/a.ts': "import 'node:url';" }, allowed: true },
  { rule: 'machines-and-vsm-models', files: { 'src/machines/a.ts': "import '../config/types.js';" } },
  { rule: 'machines-and-vsm-models', files: { 'src/vsm/a.ts': "import '../kernel/index.js';" }, allowed: true },
  { rule: 'audit-knows-nobody', files: { 'src/audit/a.ts': "import '../protocol/text.js';" } },
  { rule: 'config-knows-the-protocol', files: { 'src/config/a.ts': "import '../actors/names.js';" } },
  {
    rule: 'machines-and-config-know-kernel-types-only',
    files: { 'src/machines/a.ts': "import { KERNEL } from '../kernel/index.js';\nconsole.log(KERNEL);" },
  },
  {
    rule: 'machines-and-config-know-kernel-types-only',
    files: { 'src/machines/a.ts': "import { type Kernel } from '../kernel/index.js';\nexport type A = Kernel;" },
    allowed: true,
  },
  {
    rule: 'actors-know-messages-only',
    files: { 'src/actors/a/a.ts': "import '../b/b.js';", 'src/actors/b/b.ts': 'export const B = 1;' },
  },
  {
    rule: 'actors-know-messages-only',
    files: { 'src/actors/a.ts': "import './b/b.js';", 'src/actors/b/b.ts': 'export const B = 1;' },
  },
  {
    rule: 'actors-know-messages-only',
    files: { 'src/actors/b/a.ts': "import './b.js';", 'src/actors/b/b.ts': 'export const B = 1;' },
    allowed: true,
  },
  {
    rule: 'actors-know-messages-only',
    files: {
      'src/actors/a/a.ts': "import '../b/messages.js';\nimport { type B } from '../b/b.js';\nexport type A = B;",
      'src/actors/b/b.ts': 'export type B = 1;',
      'src/actors/b/messages.ts': 'export const M = 1;',
    },
    allowed: true,
  },
  {
    rule: 'actors-know-no-composition',
    files: { 'src/actors/admin-endpoint.ts': "import '../admin/server.js';", 'src/admin/server.ts': '' },
    allowed: true,
  },
  {
    rule: 'actors-know-no-composition',
    files: { 'src/actors/listener.ts': "import '../admin/server.js';", 'src/admin/server.ts': '' },
  },
  { rule: 'actors-know-no-composition', files: { 'src/actors/a.ts': "import '../supervisors/tree.js';" } },
  {
    rule: 'transports-know-the-protocol',
    files: { 'src/transports/outbound/a.ts': "import '../../actors/names.js';" },
  },
  {
    rule: 'transport-sides-are-apart',
    files: { 'src/transports/outbound/a.ts': "import '../inbound/b.js';", 'src/transports/inbound/b.ts': '' },
  },
  {
    rule: 'transport-sides-are-apart',
    files: { 'src/transports/outbound/a.ts': "import './b.js';", 'src/transports/outbound/b.ts': '' },
    allowed: true,
  },
  { rule: 'machines-and-vsm-models', files: { 'src/vsm/a.ts': "import '../actors/names.js';" } },
  {
    rule: 'machines-and-vsm-models',
    files: { 'src/vsm/a.ts': "import './actors/b.js';", 'src/vsm/actors/b.ts': '' },
  },
  { rule: 'vsm-models-do-no-io', files: { 'src/vsm/a.ts': "import 'node:http';" } },
  {
    rule: 'vsm-actors-know-the-plane',
    files: { 'src/vsm/actors/a.ts': "import '../../actors/b.js';", 'src/actors/b.ts': '' },
  },
  {
    rule: 'vsm-actors-know-the-plane',
    files: { 'src/vsm/actors/a.ts': "import '../../actors/names.js';\nimport '../m.js';", 'src/vsm/m.ts': '' },
    allowed: true,
  },
  { rule: 'consoles-know-snapshots-only', files: { 'src/cli/a.ts': "import '../kernel/index.js';" } },
  { rule: 'consoles-know-snapshots-only', files: { 'tui/a.ts': "import '#src/kernel/index.js';" } },
  {
    rule: 'consoles-know-snapshots-only',
    files: { 'tui/a.ts': "import '#src/admin/client.js';\nimport '#src/protocol/text.js';" },
    allowed: true,
  },
  { rule: 'admin-client-side-is-light', files: { 'src/admin/client.ts': "import '../kernel/index.js';" } },
  { rule: 'composition-is-on-top', files: { 'src/actors/a.ts': "import '../main.js';" } },
  { rule: 'product-knows-no-tests', files: { 'src/actors/a.ts': "import '../../bench/b.js';", 'bench/b.ts': '' } },
  { rule: 'nact-in-kernel-only', files: { 'src/actors/a.ts': "import { spawn } from 'nact';\nspawn;" } },
  { rule: 'nact-in-kernel-only', files: { 'src/kernel/a.ts': "import { spawn } from 'nact';\nspawn;" }, allowed: true },
  { rule: 'blessed-in-tui-only', files: { 'src/actors/a.ts': "import 'blessed';" } },
  { rule: 'xstate-in-machines-and-actors-only', files: { 'src/protocol/a.ts': "import 'xstate';" } },
  { rule: 'xstate-in-machines-and-actors-only', files: { 'src/machines/a.ts': "import 'xstate';" }, allowed: true },
  { rule: 'no-schema-library-on-the-data-path', files: { 'src/actors/a.ts': "import 'zod';" } },
  {
    rule: 'no-sdk-in-the-product',
    files: { 'src/actors/a.ts': "import '@modelcontextprotocol/sdk/client/index.js';" },
  },
];

/** Something to import in every layer. */
const BASE: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    type: 'module',
    imports: { '#src/*': './dist/*' },
    dependencies: { nact: '*', xstate: '*', zod: '*', blessed: '*' },
    devDependencies: { 'fast-check': '*', '@modelcontextprotocol/sdk': '*' },
  }),
  'src/main.ts': '',
  'src/kernel/index.ts': 'export const KERNEL = 1;\nexport type Kernel = 1;',
  'src/kernel/cell.ts': '',
  'src/protocol/text.ts': '',
  'src/config/types.ts': '',
  'src/actors/names.ts': '',
  'src/supervisors/tree.ts': '',
  'dist/kernel/index.js': '',
  'dist/kernel/cell.js': '',
  'dist/admin/client.js': '',
  'dist/protocol/text.js': '',
};

function lay(base: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), text);
  }
}

describe('who may import whom', function () {
  this.timeout(60_000);

  it('holds for every file of the product', async () => {
    const { modules, violations } = await checkImports(process.cwd(), FOLDERS);
    assert.ok(modules > 15, `only ${modules} modules were found`);
    assert.equal(violations.length, 0, `\n${violations.join('\n')}`);
  });

  it('is told by rules that each have a case below', () => {
    const broken = new Set(CASES.filter(({ allowed }) => !allowed).map(({ rule }) => rule));
    assert.deepEqual(
      [...broken].sort(),
      rules()
        .map(({ name }) => name)
        .sort(),
    );
    for (const { name, comment } of rules()) assert.ok(comment, `${name} says nothing`);
  });

  describe('told by a rule', () => {
    let base = '';
    beforeEach(() => {
      base = mkdtempSync(join(tmpdir(), 'viable-arch-'));
      lay(base, BASE);
      symlinkSync(resolve('node_modules'), join(base, 'node_modules'));
    });
    afterEach(() => rmSync(base, { recursive: true, force: true }));

    for (const { rule, files, allowed } of CASES) {
      it(`${rule}: ${allowed ? 'allows' : 'refuses'} ${Object.values(files)[0]?.split('\n')[0]}`, async () => {
        lay(base, files);
        const { violations } = await checkImports(base, FOLDERS);
        const hits = violations.filter((line) => line.startsWith(`${rule}:`));
        if (allowed) assert.deepEqual(violations, []);
        else assert.ok(hits.length > 0, `nothing said:\n${violations.join('\n')}`);
      });
    }
  });
});

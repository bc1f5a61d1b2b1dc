import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { configJsonSchema } from '#src/config/json-schema.js';
import { loadConfig } from '#src/config/load.js';
import { renderConfigPage } from '#src/config/reference.js';
import { accepted } from './support.js';

const root = path.resolve(import.meta.dirname, '../../../..');
const env = { HOME: '/home/me', DOCS_TOKEN: 't' };

describe('config/docs', () => {
  it('the committed schema and page are the generated ones (npm run docs)', async () => {
    const schema = await readFile(path.join(root, 'docs/config.schema.json'), 'utf8');
    assert.equal(schema, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    assert.equal(await readFile(path.join(root, 'docs/configuration.md'), 'utf8'), renderConfigPage());
  });

  it('every example loads, and the schema that it names agrees', async () => {
    const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
      configJsonSchema() as object,
    );
    const names = (await readdir(path.join(root, 'examples'))).filter((name) => name !== 'tsconfig.json');
    for (const name of ['quickstart.json', 'gateway.yaml', 'http-upstreams.json'])
      assert.ok(names.includes(name), name);
    for (const name of names.filter((found) => /\.(?:json|ya?ml)$/.test(found))) {
      const file = path.join(root, 'examples', name);
      const { warnings } = accepted(await loadConfig({ file, env }));
      assert.deepEqual(warnings, [], name);
      const document = parse(await readFile(file, 'utf8')) as { $schema: string };
      assert.equal(path.resolve(path.dirname(file), document.$schema), path.join(root, 'docs/config.schema.json'));
      assert.ok(validate(document), `${name}: ${JSON.stringify(validate.errors)}`);
    }
  });

  it('gateway.yaml shows every option with its default', async () => {
    const file = path.join(root, 'examples/gateway.yaml');
    const { gateway } = parse(await readFile(file, 'utf8')) as { gateway: { listen: { port: unknown } } };
    const { config } = accepted(await loadConfig({ env }));
    gateway.listen.port = 4000;
    assert.deepEqual(gateway, config.gateway);
  });

  it('the schema refuses what the loader refuses', () => {
    const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(
      configJsonSchema() as object,
    );
    const servers = (entry: unknown) => ({ mcpServers: { s: entry } });
    assert.ok(validate(servers({ command: 'x', autoApprove: [], viable: { prefix: 'a' } })));
    assert.ok(validate({ gateway: { listen: { port: '${PORT:-1}' } }, globalShortcut: 'x' }));
    for (const wrong of [
      { mcpServer: {} },
      servers({ comand: 'x' }),
      servers({ command: 'x', url: 'http://h' }),
      servers({}),
      servers({ command: 'x', type: 'stdoi' }),
      servers({ command: 'x', viable: { maxInFlight: 0 } }),
      { gateway: { listen: { port: 'abc' } } },
      { gateway: { port: 1 } },
    ]) {
      assert.equal(validate(wrong), false, JSON.stringify(wrong));
    }
  });
});

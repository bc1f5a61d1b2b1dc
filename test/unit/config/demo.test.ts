import assert from 'node:assert/strict';
import { access, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { demoConfig, demoFolder } from '#src/config/demo.js';
import { accepted, refused, withFolder } from './support.js';

describe('config/demo', () => {
  it('runs three servers of this installation with this Node, on a folder with sample files', async () => {
    await withFolder(async (parent) => {
      const folder = path.join(parent, 'with ${ODD} name');
      const { config, warnings } = accepted(await demoConfig({ env: {}, folder, overrides: { port: 0 } }));
      assert.deepEqual(warnings, []);
      assert.deepEqual([...config.servers.keys()], ['everything', 'memory', 'filesystem']);
      for (const { target } of config.servers.values()) {
        assert.ok(target.transport === 'stdio');
        assert.equal(target.command, process.execPath);
        await access(target.args[0]!);
      }
      const { target: memory } = config.servers.get('memory')!;
      assert.ok(memory.transport === 'stdio');
      assert.equal(memory.env['MEMORY_FILE_PATH'], path.join(folder, 'memory.jsonl'));
      const { target: filesystem } = config.servers.get('filesystem')!;
      assert.ok(filesystem.transport === 'stdio');
      assert.equal(filesystem.args[1], path.join(folder, 'files'));
      assert.match(await readFile(path.join(folder, 'files', 'welcome.md'), 'utf8'), /Welcome/);
      assert.equal(config.gateway.listen.port, 0);
      assert.equal(config.source.file, null);
    });
  });

  it('leaves alone what is there', async () => {
    await withFolder(async (folder) => {
      accepted(await demoConfig({ env: {}, folder }));
      const welcome = path.join(folder, 'files', 'welcome.md');
      await writeFile(welcome, 'mine');
      await rm(path.join(folder, 'files', 'ideas.txt'));
      accepted(await demoConfig({ env: {}, folder }));
      assert.equal(await readFile(welcome, 'utf8'), 'mine');
      await assert.rejects(access(path.join(folder, 'files', 'ideas.txt')));
    });
  });

  it('does not follow a link or write over a file in its place', async () => {
    await withFolder(async (parent) => {
      const link = path.join(parent, 'link');
      await symlink(parent, link);
      assert.match(refused(await demoConfig({ env: {}, folder: link }))[0]!.message, /belongs to somebody else/);
      const file = path.join(parent, 'file');
      await writeFile(file, '');
      assert.match(refused(await demoConfig({ env: {}, folder: file }))[0]!.message, /cannot be made/);
    });
  });

  it('keeps its folder with the data of the user, or in the temporary directory', () => {
    assert.equal(demoFolder({ XDG_DATA_HOME: '/data' }), '/data/viable/demo');
    assert.match(demoFolder({ XDG_DATA_HOME: 'relative' }), /viable-demo-\d+$/);
  });
});

/** `node screenshot-main.js SOCKET OUT.svg [COLUMNS] [ROWS] [KEYS] [EXPECT]`: one picture of the dashboard as SVG. */
import { writeFile } from 'node:fs/promises';
import { takeScreenshot } from './screenshot.js';

const [socket, out, columns = '120', rows = '36', keys = '', expect = '? Help'] = process.argv.slice(2);
if (socket === undefined || out === undefined)
  throw new Error('usage: screenshot-main.js SOCKET OUT.svg [COLUMNS] [ROWS] [KEYS] [EXPECT]');
const size = { columns: Number(columns), rows: Number(rows) };
const { svg } = await takeScreenshot({ socket, ...size, keys, expect });
await writeFile(out, svg);

/**
 * Every page as it stands on a real screen, by keys, at three sizes, text and attributes: test/tui/snapshots/. Figures and clock
 * are those of the fixtures. After a wanted change: `UPDATE_SNAPSHOTS=1 npx mocha --no-config dist-test/test/tui/snapshots.test.js`,
 * and look at the difference.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clock } from '#src/admin/view/format.js';
import { fakeLog } from '../support/admin/fixtures.js';
import { screenSnapshot } from '../support/screen-styles.js';
import { onStage, type Stage } from '../support/tui-stage.js';
import { inUtc } from '../support/utc.js';

const FOLDER = path.join(import.meta.dirname, '../../../test/tui/snapshots');
const UPDATE = process.env['UPDATE_SNAPSHOTS'] === '1';
const END = '\u001b[F';
const HOME = '\u001b[H';

/** What is typed, and what is on the screen when everything that was asked for has come. */
type Step = readonly [keys: string, shows: string | RegExp];

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

const SCENES: Readonly<Record<string, readonly Step[]>> = {
  overview: [],
  tree: [['2', 'Supervision tree']],
  actor: [
    ['2', 'Supervision tree'],
    ['/upstream:memory\r', '1/6'],
    [END, '6/6'],
    ['kk', '4/6'],
    ['\r', 'drop the session'],
  ],
  upstreams: [
    ['3', 'In use'],
    ['\t', '┏━ everything'],
    [END, 'kept back'],
    [HOME, '● ready for'],
  ],
  connections: [['4', 'Connections  1/21']],
  logs: [['5', 'upstream_unavailable']],
  viability: [['6', 'S5 policy violations']],
  alarms: [['7', 'REACHED']],
  help: [['?', 'freeze and unfreeze']],
  question: [['d', 'Sure?']],
};

describe('snapshots of the screen', () => {
  inUtc();

  for (const [columns, rows] of SIZES) {
    for (const [scene, steps] of Object.entries(SCENES)) {
      it(`${scene} at ${columns}×${rows}`, () =>
        onStage(columns, rows, async (stage) => {
          await settled(stage);
          for (const [keys, shows] of steps) {
            stage.terminal.type(keys);
            await stage.terminal.shows(shows);
          }
          matches(`${scene}-${columns}x${rows}.txt`, screenSnapshot(stage.terminal.screen));
        }));
    }
  }

  it('are no more than there are scenes', () => {
    const wanted = SIZES.flatMap(([columns, rows]) =>
      Object.keys(SCENES).map((scene) => `${scene}-${columns}x${rows}.txt`),
    );
    assert.deepEqual(readdirSync(FOLDER).sort(), wanted.sort());
  });
});

/** The newest log line is there, and with it everything that the first page shows. */
async function settled({ terminal }: Stage): Promise<void> {
  await terminal.shows(new RegExp(`WebSocket +6 [^]*${clock(fakeLog(29).at)} ✖`));
}

function matches(file: string, screen: string): void {
  const place = path.join(FOLDER, file);
  if (UPDATE) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(place, screen);
    return;
  }
  assert.ok(existsSync(place), `${file} is missing; UPDATE_SNAPSHOTS=1 makes it`);
  assert.equal(screen, readFileSync(place, 'utf8'), `${file} differs`);
}

import assert from 'node:assert/strict';
import { type DrainSnapshot } from '#src/admin/protocol.js';
import { type CliIo } from '#src/cli/context.js';
import { DrainMeter } from '#src/cli/drain-meter.js';
import { milliseconds } from '#src/cli/parse.js';
import { fakeDrain } from '../../support/admin/fixtures.js';

/** A terminal, or a pipe, that keeps what is written. */
class Paper {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 100,
  ) {}
  write(text: string): boolean {
    this.text += text;
    return true;
  }
  once(): this {
    return this;
  }
  on(): this {
    return this;
  }
  removeListener(): this {
    return this;
  }
}

function ioOn(stdout: Paper): CliIo {
  return { stdout, env: {} } as unknown as CliIo;
}

const GOING: readonly DrainSnapshot[] = [
  fakeDrain({ connectionsAtStart: 20, connectionsLeft: 20, inFlight: 2 }),
  fakeDrain({ connectionsAtStart: 20, connectionsLeft: 10, inFlight: 1 }),
  fakeDrain({ connectionsAtStart: 20, connectionsLeft: 10, inFlight: 0 }),
  fakeDrain({ connectionsAtStart: 20, connectionsLeft: 0, inFlight: 0, state: 'stopped', outcome: 'completed' }),
];

describe('progress of a drain', () => {
  it('is a bar on a terminal, which grows', () => {
    const fullAfter = (shown: readonly DrainSnapshot[]): number => {
      const paper = new Paper(true);
      const meter = new DrainMeter(ioOn(paper), false);
      for (const snapshot of shown) meter.show(snapshot);
      meter.stop(); // draws what was held back for the sake of the frame rate
      const last = paper.text.slice(paper.text.lastIndexOf('\u001b[1G'));
      return last.split('█').length - 1;
    };
    assert.deepEqual([fullAfter(GOING.slice(0, 1)), fullAfter(GOING.slice(0, 2)), fullAfter(GOING)], [0, 15, 30]);
  });

  it('gives way to the words on a narrow terminal, and says the end in full', () => {
    const paper = new Paper(true, 40);
    const meter = new DrainMeter(ioOn(paper), false);
    for (const snapshot of GOING) meter.show(snapshot);
    meter.stop();
    const bar = paper.text.slice(paper.text.lastIndexOf('\u001b[1G'));
    assert.equal(bar.split('█').length - 1, 6);
    assert.match(paper.text.replaceAll(/\u001b\[[\d;]*m/g, ''), /\n■ stopped gateway {2}everything finished\n$/);
  });

  it('is a line for each change that matters elsewhere', () => {
    const paper = new Paper(false);
    const meter = new DrainMeter(ioOn(paper), false);
    for (const snapshot of [...GOING, ...GOING.slice(-1)]) meter.show(snapshot);
    const lines = paper.text.trimEnd().split('\n');
    assert.equal(lines.length, 3);
    assert.match(lines[2] ?? '', /stopped gateway {2}everything finished/);
    assert.ok(!paper.text.includes('\u001b'));
  });

  it('is a JSON line for each change for scripts', () => {
    const paper = new Paper(false);
    const meter = new DrainMeter(ioOn(paper), true);
    for (const snapshot of GOING) meter.show(snapshot);
    const lines = paper.text.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((text) => JSON.parse(text) as unknown),
      GOING,
    );
  });
});

describe('a time on the command line', () => {
  it('is milliseconds, or has a unit', () => {
    assert.deepEqual(['500', '500ms', '1.5s', '2m', '0'].map(milliseconds), [500, 500, 1_500, 120_000, 0]);
    for (const text of ['', 'soon', '-1', '1h', '1e3', '9999999999']) assert.throws(() => milliseconds(text), text);
  });
});

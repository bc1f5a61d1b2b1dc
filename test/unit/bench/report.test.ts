/** The report of a finished run: ratios, verdicts, and what was left out. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../bench/main.js', import.meta.url));

function bench(args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

function calls(scenario: string, target: string, concurrency: number, cpuUsPerCall: number | null, p50Ms: number) {
  return {
    scenario,
    target,
    concurrency,
    callsPerSecond: 10_000,
    p50Ms,
    p99Ms: 2 * p50Ms,
    cpuUsPerCall,
    rssMb: 100,
    spread: 0.1,
    calls: 1_000,
    errors: 0,
    problems: [],
  };
}

function rendered(changes: object): string {
  const result = {
    machine: { node: 'v20.20.2', cpus: 2, model: 'test' },
    rounds: 3,
    seconds: 5,
    skipped: ['supergateway: not installed'],
    calls: [
      calls('http', 'direct', 1, null, 0.1),
      calls('http', 'node-mcp', 1, 100, 0.3),
      calls('http', 'gateway', 1, 150, 0.42),
      calls('http', 'node-mcp', 16, 60, 1),
      calls('http', 'gateway', 16, 72.6, 1),
      calls('ws', 'gateway', 16, 80, 1),
    ],
    idle: [{ target: 'gateway', kind: 'ws', count: 5_000, kbEach: 15.5, totalMb: 180 }],
    kernel: null,
    alarms: null,
    attacks: [],
    ...changes,
  };
  const folder = mkdtempSync(join(tmpdir(), 'bench-report-'));
  try {
    const file = join(folder, 'result.json');
    writeFileSync(file, JSON.stringify(result));
    const { status, stdout, stderr } = bench(['--render', file]);
    assert.equal(status, 0, stderr);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The verdict line of a bar, without the padding. */
function verdict(report: string, what: string): string {
  const line = report.split('\n').find((candidate) => candidate.slice(3).startsWith(what)) ?? '';
  return line.slice(3 + what.length).trim();
}

describe('bench report', () => {
  it('judges each figure by its bar', () => {
    const report = rendered({});
    assert.equal(
      verdict(report, 'CPU a call, HTTP → HTTP, C=16, by node-mcp'),
      'bar ≤ 1.5×, stretch ≤ 1.1× : 1.21× ok',
    );
    assert.equal(verdict(report, "CPU a call, WebSocket → HTTP, C=16, by the HTTP client's"), 'bar ≤ 1× : 1.1× MISSED');
    assert.equal(verdict(report, 'idle WebSocket at 5,000'), 'bar ≤ 16 kB : 15.5 kB ok');
  });

  it('compares what is added to the direct call, not the whole call', () => {
    const what = 'added p50, HTTP → HTTP, C=1, by what node-mcp adds';
    assert.equal(verdict(rendered({}), what), 'bar ≤ 1.5×, stretch ≤ 1.2× : 1.6× MISSED');
  });

  it('says what was not measured and why', () => {
    const report = rendered({});
    assert.match(report, /left out: supergateway: not installed/);
    assert.equal(verdict(report, 'actor messages through one cell'), 'bar ≥ 1.5 M/s : not measured');
  });

  it('reaches stretch goals and does not miss a goal without a bar', () => {
    const rate = { tell: { wallMps: 2, cpuMps: 2 } };
    const kernel = { ...rate, pingPong: rate.tell, fanIn: rate.tell, alarmP50Ms: 0, alarmP99Ms: 0.05, alarmMaxMs: 1 };
    const idle = [{ target: 'gateway', kind: 'mixed', count: 10_000, kbEach: 25, totalMb: 300 }];
    const report = rendered({ kernel, idle });
    assert.match(verdict(report, 'alarm behind 100,000 queued messages, p99'), /: 0.05 ms stretch$/);
    assert.equal(
      verdict(report, 'process with 10,000 mixed connections'),
      'stretch ≤ 250 MB : 300 MB short of the stretch goal',
    );
  });

  it('refuses a part that does not exist', () => {
    const { status, stderr } = bench(['--only', 'http,smtp']);
    assert.notEqual(status, 0);
    assert.match(stderr, /http, ws, stdio, memory, kernel, alarms/);
  });
});

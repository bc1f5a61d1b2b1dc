/** A gateway that is upgraded in place: its successor is another process at the same address and admin socket. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { eventually } from './eventually.js';
import { ROOT, runNode, startGateway, type Gateway, type Run } from './gateway.js';
import { isAlive, signalIfAlive } from './processes.js';

/** A successor boots, connects its servers and takes over, all under the test's load. Milliseconds. */
const DEADLINE = 60_000;
const CLI = path.join(ROOT, 'dist/cli.js');

export class Upgradable {
  readonly gateway: Gateway;
  readonly oldPid: number;

  private constructor(gateway: Gateway) {
    this.gateway = gateway;
    this.oldPid = gateway.pid;
  }

  static async start(config: object, ...args: string[]): Promise<Upgradable> {
    return new Upgradable(await startGateway({ config, args }));
  }

  /** `viable upgrade`; resolves when it ends. */
  async upgrade(...args: string[]): Promise<Run> {
    return await runNode(CLI, ['--socket', this.gateway.socketPath, 'upgrade', ...args], { deadline: DEADLINE });
  }

  /** Of the process that has the admin socket now. */
  async pid(): Promise<number> {
    return (await this.gateway.status()).pid;
  }

  /** Until the successor serves; the old process may still be emptying itself. */
  async taken(): Promise<void> {
    await eventually(async () => assert.notEqual(await this.pid(), this.oldPid), {
      what: 'the successor serves',
      deadline: DEADLINE,
    });
  }

  async oldIsGone(): Promise<void> {
    await eventually(() => assert.equal(isAlive(this.oldPid), false), {
      what: 'the old process gone',
      deadline: DEADLINE,
    });
  }

  /** Ends whichever of the two still run. */
  async stop(): Promise<void> {
    const pid = await this.pid().catch(() => this.oldPid);
    for (const one of new Set([pid, this.oldPid])) if (isAlive(one)) signalIfAlive(one, 'SIGKILL');
    await this.gateway.exited; // the successor holds the log open
    await this.gateway.stop();
  }
}

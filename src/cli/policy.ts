/** `viable policy`: the group of commands on what is admitted. */
import type { Command } from 'commander';
import { type CliIo } from './context.js';
import { addPolicyMode } from './policy-mode.js';

export function addPolicy(program: Command, io: CliIo): void {
  const policy = program.command('policy').description('the policy in force');
  addPolicyMode(policy, io);
}

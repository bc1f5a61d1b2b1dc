/** What supervisors report, in the log. */
import { describeExit, type Report } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';

/** Supervisor reports go to the log; children that come and go with clients only at debug level. `starting`: the gateway is. */
export function logReport(log: Logger, report: Report, starting: boolean): void {
  const fields = { event: report.type, path: report.path === '' ? '/' : report.path };
  switch (report.type) {
    case 'child/started':
      return log.debug({ ...fields, incarnation: report.incarnation }, 'started');
    case 'child/terminated':
      if (report.reason.type === 'fault')
        log.error({ ...fields, stack: report.reason.error.stack }, describeExit(report.reason));
      else log.debug(fields, describeExit(report.reason));
      return;
    case 'child/restarted':
      return log.warn({ ...fields, incarnation: report.incarnation }, `restarted after ${describeExit(report.reason)}`);
    case 'child/start-failed':
      // It fails the whole start, whose caller says so once.
      if (starting) return log.debug(fields, report.error.message);
      return log.error({ ...fields, stack: report.error.stack }, report.error.message);
    case 'actor/late-error':
      return log.error({ ...fields, stack: report.error.stack }, report.error.message);
    case 'child/abandoned':
      return log.error({ ...fields, afterMs: report.afterMs }, 'did not stop in time and was left behind');
    case 'supervisor/intensity-exceeded':
      return log.error(
        { ...fields, restarts: report.restarts, withinMs: report.withinMs },
        'restarts too often and gives up',
      );
  }
}

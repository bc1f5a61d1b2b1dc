/** Exit codes of the `viable` command. Scripts rely on them: a number never changes its meaning. */
export const EXIT_CODES = {
  /** Done. Also when a reader such as `head` closed the pipe early. */
  ok: 0,
  /** The gateway refused: unknown actor, invalid arguments, a drain already running, … */
  refused: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No gateway answers on the socket, or it went away. */
  noGateway: 3,
  /** What was waited for ended otherwise: a drain whose time was over, that was forced or called off. */
  unfinished: 4,
  /** A defect of the command itself. */
  defect: 70,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** What `--help` says of them. */
export const EXIT_CODES_HELP = `Exit codes: ${EXIT_CODES.ok} done, ${EXIT_CODES.refused} refused by the gateway, ${EXIT_CODES.usage} wrong usage, ${EXIT_CODES.noGateway} no gateway, ${EXIT_CODES.unfinished} unfinished, ${EXIT_CODES.defect} defect, ${EXIT_CODES.interrupted} interrupted.`;

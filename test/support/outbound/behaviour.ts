/**
 * What the raw fixture servers do with a message, told apart from how their wire says it. No SDK: they must be able to
 * misbehave.
 */
export type Action =
  { readonly kind: 'message'; readonly message: unknown } | { readonly kind: 'garbage' } | { readonly kind: 'die' };

interface Incoming {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly count?: number; readonly bytes?: number };
}

const say = (message: object): Action => ({ kind: 'message', message: { jsonrpc: '2.0', ...message } });

/** The actions by which a fixture answers. A message without an id, and the method `silent`, get none. */
export function behave(incoming: unknown): Action[] {
  const { id, method, params = {} } = incoming as Incoming;
  if (id === undefined || method === undefined) return [];
  const answer = (result: object): Action => say({ id, result });
  switch (method) {
    case 'silent':
      return [];
    case 'die':
      return [{ kind: 'die' }];
    case 'progress': {
      const notes = Array.from({ length: params.count ?? 0 }, (_, step) =>
        say({ method: 'notifications/progress', params: { progressToken: id, progress: step } }),
      );
      return [...notes, answer({ done: true })];
    }
    case 'garbage':
      return [{ kind: 'garbage' }, answer({ survived: true })];
    case 'batch':
      return [
        {
          kind: 'message',
          message: [
            { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'first' } },
            { jsonrpc: '2.0', id, result: { batched: true } },
          ],
        },
      ];
    case 'big':
      return [answer({ text: 'x'.repeat(params.bytes ?? 0) })];
    case 'fail':
      return [say({ id, error: { code: -32601, message: 'no such method' } })];
    default:
      return [answer({ echo: params })];
  }
}

/** Reads an HTTP body up to a bound. */
import { isUtf8 } from 'node:buffer';
import { type IncomingMessage } from 'node:http';
import { type Intake } from './intake.js';

export type Body =
  | { readonly ok: true; readonly text: string; readonly bytes: number }
  | { readonly ok: false; readonly why: 'payload_too_large' | 'parse_error' };

/** Bytes past the bound that are read and thrown away, so that the client gets to read the refusal. */
const MERCY_BYTES = 16 * 1024 * 1024;

/**
 * Calls `done` once: with the body's text, or when it is no UTF-8, or when more than the intake takes are announced or have come. A
 * large body waits for its turn. Not called when the client goes away first. Callbacks and not a promise: this is the data path.
 */
export function readBody(req: IncomingMessage, intake: Intake, done: (body: Body) => void): void {
  const { maxBytes } = intake;
  const announced = req.headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBytes) {
    skipRest(req);
    done({ ok: false, why: 'payload_too_large' });
    return;
  }
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let bytes = 0;
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      req.off('data', onData);
      req.off('end', onEnd);
      skipRest(req);
      done({ ok: false, why: 'payload_too_large' });
    } else if (first === null) first = chunk;
    else (more ??= [first]).push(chunk);
  };
  const onEnd = (): void => {
    if (!intake.isLarge(bytes)) return finish();
    intake.inTurn(bytes, () => {
      if (!req.socket.destroyed) finish();
    });
  };
  const finish = (): void => {
    const whole = more === null ? first : Buffer.concat(more, bytes);
    if (whole === null) done({ ok: true, text: '', bytes });
    // Bytes that are no UTF-8 must not become some other text on the way.
    else if (isUtf8(whole)) done({ ok: true, text: whole.toString('utf8'), bytes });
    else done({ ok: false, why: 'parse_error' });
  };
  req.on('data', onData);
  req.on('end', onEnd);
}

function skipRest(req: IncomingMessage): void {
  let skipped = 0;
  req.on('data', (chunk: Buffer) => {
    skipped += chunk.length;
    if (skipped > MERCY_BYTES) req.socket.destroy();
  });
}

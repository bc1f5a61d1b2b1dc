/** Takes the gateway's own spans. */
import { type EndedSpan } from './ended-span.js';
import { type NotePage } from './note-page.js';

export interface OwnSpanSink {
  spanStarted(): void;
  spanEnded(span: EndedSpan): void;
  /** Whether it takes so many more spans, of one call, by notes. */
  hasRoom(spans: number): boolean;
  /** The spans of a call of which notes were taken; whoever has read them leaves its place on the page. */
  callEnded(page: NotePage, call: number, spans: number): void;
}

/** What many spans, or many events, have in common: written for the collector once, and copied after that. */
import { type Attributes } from '@opentelemetry/api';

export class SharedFields {
  /** Of the span or event; `''`: these are attributes only. */
  readonly name: string;
  /** Not changed by anybody. */
  readonly attributes: Readonly<Attributes>;
  /**
   * As they are written, once that is known to be worth keeping: they have been written before. What is of spans is not of events, which
   * have other keys. Kept by `span-encoding.ts`.
   */
  written: Uint8Array | null = null;
  isWorthKeeping = false;
  /** Of an event: the attribute whose number differs each time; `null`: there is none. */
  readonly measure: string | null;

  constructor(name: string, attributes: Readonly<Attributes>, measure: string | null = null) {
    this.name = name;
    this.attributes = attributes;
    this.measure = measure;
  }
}

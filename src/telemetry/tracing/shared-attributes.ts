/** Attributes that many spans have in common: written for the collector once, and copied after that. */
import { type Attributes } from '@opentelemetry/api';

export class SharedAttributes {
  /** Not changed by anybody. */
  readonly values: Readonly<Attributes>;
  /** As they are written, once that is known to be worth keeping: they have been written before. Kept by `span-encoding.ts`. */
  written: Uint8Array | null = null;
  isWorthKeeping = false;

  constructor(values: Readonly<Attributes>) {
    this.values = values;
  }
}

/**
 * Which context is active: by `AsyncLocalStorage`, from the first time that somebody enters one. Our "do not trace
 * this export" is entered with every batch, and needs no more than the stack: on Node 20 a storage that was ever entered has every
 * promise, timer and socket of the process followed, which cost a gateway a fifth of its CPU.
 */
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { isTracingSuppressed } from '@opentelemetry/core';

export class LateContextManager implements ContextManager {
  readonly #async = new AsyncLocalStorageContextManager();
  #entered = false;
  #suppressed: Context | null = null;

  active(): Context {
    if (this.#suppressed !== null) return this.#suppressed;
    return this.#entered ? this.#async.active() : ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    work: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    if (this.#entered || !isTracingSuppressed(context)) {
      this.#entered = true;
      return this.#async.with(context, work, thisArg, ...args);
    }
    const before = this.#suppressed;
    this.#suppressed = context;
    try {
      return work.apply(thisArg as ThisParameterType<F>, args);
    } finally {
      this.#suppressed = before;
    }
  }

  bind<T>(context: Context, target: T): T {
    return this.#async.bind(context, target);
  }

  enable(): this {
    this.#async.enable();
    return this;
  }

  disable(): this {
    this.#async.disable();
    this.#entered = false;
    return this;
  }
}

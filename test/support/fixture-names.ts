/** What the well-behaved fixture (`fixtures/sdk-behaviour.ts`) offers, as tests expect to see it. */
export const FIXTURE_TOOLS = [
  'echo',
  'add',
  'slow',
  'progress',
  'log',
  'mutate',
  'fail',
  'throws',
  'big',
  'whoami',
  'env',
  'grüße-世界',
] as const;

export const FIXTURE_PROMPTS = ['greet', 'привет'] as const;

/** Text of the first content block of a tool result. */
export function textOf(result: Readonly<Record<string, unknown>> | undefined): string {
  const content = result?.['content'];
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  if (typeof first !== 'object' || first === null || !('text' in first) || typeof first.text !== 'string') {
    throw new Error(`no text in ${JSON.stringify(result)}`);
  }
  return first.text;
}

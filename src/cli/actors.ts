/** Actors as people name them on a command line: a path, a unique id or the end of a path. */
import type { AdminClient } from '../admin/client.js';
import { matchActor, treePaths } from '../admin/suggest.js';
import { RefusedError } from './context.js';

/**
 * The full path of the actor that `name` means. A path is passed on as it is: the tree shows only some of very many
 * connections, and the gateway knows all. Throws `RefusedError`.
 */
export async function resolveActor(client: AdminClient, name: string, paths?: readonly string[]): Promise<string> {
  if (name.startsWith('/')) return name;
  const match = matchActor(name, paths ?? treePaths(await client.request('tree')));
  switch (match.kind) {
    case 'found':
      return match.path;
    case 'ambiguous':
      throw new RefusedError('ambiguous_actor', `Several actors are called ${name}; give a path.`, match.candidates);
    case 'unknown':
      throw new RefusedError(
        'unknown_actor',
        `There is no actor ${name}; \`viable tree\` lists them.`,
        match.suggestions,
      );
  }
}

/** The file of the pins: JSON that a person can read and a repository can keep, written as a whole or not at all. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isJsonObject } from '../protocol/jsonrpc.js';
import { hashOf } from './definitions.js';
import { type Pin, type Pins } from './pin-book.js';

const FORMAT = 1;

/** `undefined`: there is no file. Rejects when there is one that is no file of pins, or does not agree with itself. */
export async function readPins(file: string): Promise<Pins | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const document: unknown = JSON.parse(text);
  if (!isJsonObject(document) || document['version'] !== FORMAT || !isJsonObject(document['servers']))
    throw new Error(`${file} is no file of pins`);
  return new Map(
    Object.entries(document['servers']).map(([server, tools]) => {
      if (!isJsonObject(tools)) throw new Error(`${file}: server ${server} is no object`);
      return [
        server,
        new Map(Object.entries(tools).map(([tool, pin]) => [tool, pinOf(pin, `${file}: ${server} ${tool}`)])),
      ];
    }),
  );
}

export async function writePins(file: string, pins: Pins): Promise<void> {
  const sorted = [...pins].sort(([a], [b]) => (a < b ? -1 : 1));
  const servers = Object.fromEntries(
    sorted.map(([server, tools]) => [
      server,
      Object.fromEntries(
        [...tools]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([tool, { hash, definition, pinnedAt }]) => [
            tool,
            { hash, pinnedAt: new Date(pinnedAt).toISOString(), definition },
          ]),
      ),
    ]),
  );
  const next = `${file}.${process.pid}.tmp`;
  await writeFile(next, `${JSON.stringify({ version: FORMAT, servers }, null, 2)}\n`, { mode: 0o600 });
  await rename(next, file);
}

function pinOf(value: unknown, where: string): Pin {
  if (!isJsonObject(value) || !isJsonObject(value['definition'])) throw new Error(`${where} has no definition`);
  const { definition, hash, pinnedAt } = value;
  if (hash !== hashOf(definition)) throw new Error(`${where}: the hash is not that of the definition`);
  return { hash, definition, pinnedAt: Date.parse(String(pinnedAt)) || 0 };
}

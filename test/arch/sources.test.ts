/** House rules that no single file can see: nothing switched off, nothing too long, no hidden global state. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const MAX_LINES = 400;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
}

function sources(...folders: readonly string[]): Source[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      return parse(path, text);
    });
}

function parse(path: string, text: string): Source {
  return { path, text, ast: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** `path:line` of every node that `found` names. */
function places(source: Source, found: (node: ts.Node) => boolean): string[] {
  const hits: string[] = [];
  const visit = (node: ts.Node): void => {
    if (found(node)) {
      hits.push(`${source.path}:${source.ast.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source.ast);
  return hits;
}

/** Comments that switch a check off. */
function silenced({ path, text }: Source): string[] {
  return text
    .split('\n')
    .flatMap((line, i) =>
      /eslint-disable|@ts-(ignore|nocheck|expect-error)|prettier-ignore/.test(line) ? [`${path}:${i + 1}`] : [],
    );
}

function anys(source: Source): string[] {
  return places(source, (node) => node.kind === ts.SyntaxKind.AnyKeyword);
}

/** A variable of the module that can be bound anew. What changes belongs to an object that somebody makes and owns. */
function moduleVariables(source: Source): string[] {
  return places(
    source,
    (node) =>
      ts.isVariableStatement(node) &&
      ts.isSourceFile(node.parent) &&
      !node.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword) &&
      (node.declarationList.flags & ts.NodeFlags.Const) === 0,
  );
}

/** The singleton pattern: `getInstance`, or a static member that can change. */
function singletons(source: Source): string[] {
  return places(source, (node) => {
    if (ts.isIdentifier(node) && /^(getInstance|sharedInstance)$/.test(node.text)) return true;
    if (!ts.isPropertyDeclaration(node)) return false;
    const has = (kind: ts.SyntaxKind): boolean => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
    return has(ts.SyntaxKind.StaticKeyword) && !has(ts.SyntaxKind.ReadonlyKeyword);
  });
}

/** Imports of anything but `isIP…` from node:net. */
function sockets(source: Source): string[] {
  return places(source, (node) => {
    if (!ts.isImportDeclaration(node) || !/^'(node:)?net'$/.test(node.moduleSpecifier.getText())) return false;
    const bindings = node.importClause?.namedBindings;
    return (
      !bindings || !ts.isNamedImports(bindings) || bindings.elements.some(({ name }) => !name.text.startsWith('isIP'))
    );
  });
}

describe('the sources', () => {
  const shipped = sources('src', 'tui', 'bench');

  function none(check: (source: Source) => string[]): void {
    assert.deepEqual(shipped.flatMap(check), []);
  }

  it('are found', () => {
    assert.ok(shipped.length > 15);
  });

  it('switch no check off', () => none(silenced));
  it('have no any', () => none(anys));
  it('of src and tui have no variable of a module', () =>
    assert.deepEqual(sources('src', 'tui').flatMap(moduleVariables), []));
  it('have no singleton', () => none(singletons));

  it('of the protocol open no socket', () => assert.deepEqual(sources('src/protocol').flatMap(sockets), []));

  it(`of src have at most ${MAX_LINES} lines a file`, () => {
    const long = sources('src')
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES);
    assert.deepEqual(long, []);
  });

  it('would be found out', () => {
    const bad = parse(
      'bad.ts',
      [
        'let state = 0;',
        '// @ts-ignore',
        'const x = state as any;',
        'class A { static instance: A; static readonly LIMIT = 1; static getInstance() { return this.instance; } }',
        'const fine = 1;',
        'function f() { let local = 1; return local; }',
        '// any comment, and "any" text',
        '/* eslint-disable */',
        "import { isIP } from 'node:net';",
        "import { isIPv6, connect } from 'node:net';",
        "import net from 'node:net';",
      ].join('\n'),
    );
    assert.deepEqual(moduleVariables(bad), ['bad.ts:1']);
    assert.deepEqual(silenced(bad), ['bad.ts:2', 'bad.ts:8']);
    assert.deepEqual(anys(bad), ['bad.ts:3']);
    assert.deepEqual(singletons(bad), ['bad.ts:4', 'bad.ts:4']);
    assert.deepEqual(sockets(bad), ['bad.ts:10', 'bad.ts:11']);
  });
});

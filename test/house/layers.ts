import { dirname, join } from 'node:path/posix';

/** A source file by its path from `src/`, with forward slashes. */
export interface SourceFile {
  path: string;
  text: string;
}

/** One import: where from, and whether it is there at run time. */
export interface Import {
  from: string;
  typeOnly: boolean;
}

/** Rooms from left to right: each may import those after it. Rooms on one floor do not know one another. */
const FLOORS: readonly (readonly string[])[] = [
  ['run-unit.ts'],
  ['cli.ts'],
  ['commands'],
  ['jobs'],
  ['leaderboard'],
  ['submit'],
  ['train'],
  ['predict'],
  ['config'],
  ['tracking'],
  ['data'],
  ['augment', 'dicom', 'models', 'losses', 'optim', 'metrics', 'postprocess', 'pages', 'mlflow-js-client'],
  ['engine'],
  ['core'],
];

/** Every import that the order of rooms forbids, as `file imports what: why`. */
export function findWrongImports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    readImports(text).flatMap((found) => {
      const why = whyWrong(path, found);
      return why === undefined ? [] : [`${path} imports ${found.from}: ${why}`];
    }),
  );
}

/** The imports of a module: static, re-exporting, dynamic, and files named for a worker by `new URL`. */
export function readImports(text: string): Import[] {
  const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const statics = code.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w*{][^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const dynamics = code.matchAll(/(?:\bimport\(|\bnew URL\()\s*['"]([^'"]+)['"]/g);
  return [
    ...[...statics].map(([, type, from]) => ({ from: from!, typeOnly: type !== undefined })),
    ...[...dynamics].map(([, from]) => ({ from: from!, typeOnly: false })),
  ];
}

function whyWrong(path: string, { from, typeOnly }: Import): string | undefined {
  const room = roomOf(path);
  if (floorOf(room) < 0) return `${room} is no room of the house`;
  if (from.startsWith('node:')) return undefined;
  if (!from.startsWith('.') && from !== 'mlflow-js-client') return whyWrongPackage(room, from, typeOnly);
  const target = from.startsWith('.') ? roomOf(join(dirname(path), from)) : from;
  if (target === room) return undefined;
  if (floorOf(target) < 0) return `${target} is no room of the house`;
  if (floorOf(target) === floorOf(room)) return `${room} and ${target} do not know one another`;
  return floorOf(target) < floorOf(room) ? `${target} is to the left of ${room}` : undefined;
}

function whyWrongPackage(room: string, name: string, typeOnly: boolean): string | undefined {
  if (room === 'mlflow-js-client') return 'mlflow-js-client depends on nothing beyond Node';
  if (name.startsWith('@tensorflow/') && room !== 'engine' && !typeOnly) return 'only engine knows TensorFlow';
  return undefined;
}

function roomOf(path: string): string {
  return path.split('/')[0]!;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

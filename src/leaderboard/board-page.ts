import { type Html, html } from '../pages/html.ts';
import { markdownTable } from '../pages/markdown.ts';
import { counted, decimal } from '../pages/numbers.ts';
import { card, page, type Section, sideBySide } from '../pages/page.ts';
import { scatterChart } from '../pages/scatter-chart.ts';
import { table } from '../pages/table.ts';
import { type Board, localOf } from './board.ts';
import { agreementTable, boardTable, sayFinals, shakeUpTable } from './board-tables.ts';

const COLUMNS = `“Validation” is the weighted mean of what the members’ checkpoints score on their own validation images, “out of fold” the
same submission built with stage=oof, “offline” its score where the truth is known.`;
const SHAKE_UP = `Images that submissions were scored on are split at random, a thousand times, into a public part and the rest: how often the
leader on the public part leads on the rest too, by how many ranks a submission moves, and by how much its score does.`;

/** The page of every submission. */
export async function boardPage(board: Board): Promise<string> {
  const { rows, agreements, expectations } = board;
  const best = (column: 'public' | 'private' | 'offline') => Math.max(...rows.flatMap((row) => row[column] ?? []));
  const sections: Section[] = [
    {
      id: 'submissions',
      heading: 'Submissions',
      content: [html`<p>${COLUMNS}</p>`, card('The best first', table(boardTable(board)))],
    },
  ];
  if (agreements.length > 0) {
    const content = sideBySide(card('Rank correlations', table(agreementTable(board))), ...(await scatter(board)));
    sections.push({ id: 'agreement', heading: 'Does one score tell another?', content });
  }
  if (expectations.length > 0) {
    const content = [html`<p>${SHAKE_UP}</p>`, card('By the part that is public', table(shakeUpTable(board)))];
    sections.push({ id: 'shake-up', heading: 'Expected shake-up', content });
  }
  return page({
    title: counted(rows.length, 'submission'),
    kind: 'Leaderboard',
    lead: sayFinals(board),
    tiles: (['public', 'private', 'offline'] as const).map((column) => ({
      label: `Best ${column}`,
      value: decimal(best(column), 4),
    })),
    sections,
    footer: html`<code>npm run leaderboard record</code> writes down what Kaggle says.`,
  });
}

/** The same for reading in an editor. */
export function boardMarkdown(board: Board): string {
  const { rows, agreements, expectations } = board;
  const parts = [
    `# ${counted(rows.length, 'submission')}`,
    sayFinals(board),
    COLUMNS,
    markdownTable(boardTable(board)),
    ...(agreements.length > 0 ? ['## Does one score tell another?', markdownTable(agreementTable(board))] : []),
    ...(expectations.length > 0 ? ['## Expected shake-up', SHAKE_UP, markdownTable(shakeUpTable(board))] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

async function scatter({ rows }: Board): Promise<Html[]> {
  const points = rows.flatMap((row) => {
    const [x, y] = [localOf(row), row.public];
    return x === undefined || y === undefined ? [] : [{ x, y, name: row.submission.id }];
  });
  if (points.length < 2) return [];
  const caption = 'Public score over local score';
  return [card('Local and public', await scatterChart({ caption, x: 'local score', y: 'public score', points }))];
}

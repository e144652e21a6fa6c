/** Markdown's table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Bytes in GB, `–` where they are not known. */
export function gigabytes(bytes: number | undefined): string {
  return fixed(bytes === undefined ? undefined : bytes / 1e9, 2);
}

/** A number to so many digits, `–` where it is not known. */
export function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '–' : value.toFixed(digits);
}

const WHOLE = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** A whole number for reading: `12,047`. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** A share in per cent with one decimal: `22.2 %`; a dash where there is nothing to share. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** A number with so many decimals; a dash for what is none. */
export function decimal(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits);
}

/** `1 image`, `2 images`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A difference with its sign: `+0.0123`, `−0.0040`; a dash for what is none. */
export function signed(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return '–';
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}

/** Both ends of an interval: `0.8123 to 0.8456`; a dash where there is none. */
export function range({ low, high }: { low: number; high: number }, show = (end: number) => end.toFixed(4)): string {
  return Number.isFinite(low) && Number.isFinite(high) ? `${show(low)} to ${show(high)}` : '–';
}

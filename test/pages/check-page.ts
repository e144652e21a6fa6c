import assert from 'node:assert/strict';

const VOID = new Set(['meta', 'img', 'br', 'hr', 'input']);

/** Asserts what every page of the project is: whole HTML that needs nothing from outside, with a sound outline. */
export function checkPage(page: string): void {
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  checkNesting(page);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
  assert.equal(new Set(ids).size, ids.length, 'an id is there once');
  for (const [, id] of page.matchAll(/ (?:href="#|aria-labelledby=")([^"]+)"/g)) assert.ok(ids.includes(id!), id);
  const addresses = [...page.matchAll(/ (?:src|href|xlink:href)="([^"]*)"/g)].map(([, address]) => address!);
  for (const address of addresses) assert.match(address, /^(#|data:image\/)/);
  assert.doesNotMatch(page, /url\((?!#)|@import|<script/);
  for (const [image] of page.matchAll(/<img [^>]*>/g)) assert.match(image, / alt="[^"]+"/);
  for (const [plot] of page.matchAll(/<svg [^>]*>/g)) assert.match(plot, / role="img" aria-label="[^"]+"/);
  assert.equal(page.match(/<h1/g)?.length, 1);
  assert.doesNotMatch(page, />[^<]*\b(undefined|NaN|\[object)/, 'no value is missing');
}

/** Every element is closed by its own end. */
function checkNesting(page: string): void {
  const open: string[] = [];
  const body = page.replace(/<style>[\s\S]*?<\/style>/, '').replace('<!doctype html>', '');
  for (const [, end, name, rest] of body.matchAll(/<(\/?)([a-zA-Z][\w-]*)([^>]*)>/g)) {
    if (end === '/') assert.equal(open.pop(), name, `</${name}> after ${open.join(' ')}`);
    else if (!VOID.has(name!) && !rest!.endsWith('/')) open.push(name!);
  }
  assert.deepEqual(open, []);
}

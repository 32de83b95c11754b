import { describe, expect, it } from 'vitest';
import { codeSpan, fenced, html, link, plainText } from './markdown.ts';

describe('text from outside in Markdown', () => {
  it.each([
    ['<script>', '&#60;script&#62;'],
    ['a | b', 'a &#124; b'],
    ['*bold* _it_ `code`', '&#42;bold&#42; &#95;it&#95; &#96;code&#96;'],
    ['[x](http://evil)', '&#91;x&#93;&#40;http://evil&#41;'],
    ['two\n\nlines', 'two lines'],
    ['ask @octocat about #12', 'ask @&#8203;octocat about #&#8203;12'],
  ])('%j shows as it is', (text, markdown) => {
    expect(plainText(text)).toBe(markdown);
  });

  it.each([
    ['a', '`a`'],
    ['a|b', '`a\\|b`'],
    ['a`b', '``a`b``'],
    ['`a``', '``` `a`` ```'],
    ['two\nlines', '`two lines`'],
    ['', '`  `'],
  ])('%j is code', (text, markdown) => {
    expect(codeSpan(text)).toBe(markdown);
  });

  it('is code outside a table without a sign before bars', () => {
    expect(codeSpan('a|b', 'text')).toBe('`a|b`');
  });

  it('ends no link', () => {
    expect(link('`x`', 'http://ui/pool/a(b) c')).toBe('[`x`](http://ui/pool/a%28b%29%20c)');
  });

  it('ends no block', () => {
    expect(fenced('diff', ['+ ```', '+ a'])).toBe('````diff\n+ ```\n+ a\n````');
  });

  it('is no tag in HTML', () => {
    expect(html('<b>"&"')).toBe('&#60;b&#62;&#34;&#38;&#34;');
  });
});

import { describe, expect, it } from 'vitest';
import { refusalMarkdown } from './refusal.ts';

const SOURCE = { repositoryUrl: 'https://github.com/acme/hello', sha: 'f3d46caf' };
const asIs = (text: string) => text;
const problem = (line: number) => ({
  message: `entry ${line} has no name`,
  remedy: 'Give it one.',
  where: { file: 'prefect.yaml', line, column: 3 },
});

describe('the summary of a refused step', () => {
  it('has each problem with a link to its place, and what to do', () => {
    expect(refusalMarkdown([problem(4), problem(9)], SOURCE, asIs)).toBe(
      [
        '## Slipway: failed',
        '',
        '2 problems:',
        '',
        '- [prefect.yaml:4](https://github.com/acme/hello/blob/f3d46caf/prefect.yaml#L4): **entry 4 has no name**',
        '  Give it one.',
        '- [prefect.yaml:9](https://github.com/acme/hello/blob/f3d46caf/prefect.yaml#L9): **entry 9 has no name**',
        '  Give it one.',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['outside of GitHub', problem(4), undefined, '- prefect.yaml:4: **entry 4 has no name**'],
    ['without a place', { ...problem(4), where: undefined }, SOURCE, '- **entry 4 has no name**'],
    ['with markup', { ...problem(4), message: 'no <b> | @me', where: undefined }, SOURCE, '**no &#60;b&#62; &#124; @'],
  ])('%s names what is wrong as text', (_about, one, source, text) => {
    expect(refusalMarkdown([one], source, asIs)).toContain(text);
  });

  it('holds no secret', () => {
    const redact = (text: string) => text.replaceAll('hunter2', '***');
    const one = { message: 'hunter2 is refused', remedy: 'Not hunter2.', where: undefined };
    expect(refusalMarkdown([one], SOURCE, redact)).not.toContain('hunter2');
  });

  it('counts what a summary cannot hold', () => {
    const many = Array.from({ length: 100 }, (_, line) => problem(line));
    const text = refusalMarkdown(many, SOURCE, asIs, 3_000);
    expect(Buffer.byteLength(text)).toBeLessThan(3_000);
    expect(text).toMatch(/\*\*8\d more are in the log of this step\.\*\*/);
  });
});

import { describe, expect, it } from 'vitest';
import { OutputLines } from './output.ts';

describe('OutputLines', () => {
  it('makes whole lines of pieces cut anywhere, each stream for itself', () => {
    const seen: string[] = [];
    const lines = new OutputLines(10, (line) => seen.push(line));
    lines.take('#1 lo', 'stderr');
    lines.take('out\n', 'stdout');
    lines.take('ad\r\n#2', 'stderr');
    expect(seen).toEqual(['out', '#1 load']);
    lines.end();
    expect(seen).toEqual(['out', '#1 load', '#2']);
  });

  it('keeps the last ones', () => {
    const lines = new OutputLines(2, () => undefined);
    lines.take('a\nb\nc\n', 'stdout');
    lines.end();
    expect(lines.last).toEqual(['b', 'c']);
  });
});

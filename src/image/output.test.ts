import { describe, expect, it } from 'vitest';
import { OutputLines } from './output.ts';

describe('OutputLines', () => {
  it('makes whole lines of pieces cut anywhere, each stream for itself', () => {
    const seen: string[] = [];
    const lines = new OutputLines((line) => seen.push(line));
    lines.take('#1 lo', 'stderr');
    lines.take('out\n', 'stdout');
    lines.take('ad\r\n#2', 'stderr');
    expect(seen).toEqual(['out', '#1 load']);
    lines.end();
    expect(seen).toEqual(['out', '#1 load', '#2']);
  });
});

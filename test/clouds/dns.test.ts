import { describe, expect, it } from 'vitest';
import { answerQuery, matchesHost } from './dns.ts';

const A = 1;
const AAAA = 28;

describe('the name server of the enclosure', () => {
  it('sends known names to this machine', () => {
    const answer = answerQuery(query('ghcr.io', A), ['ghcr.io']);
    expect(answer?.readUInt16BE(0)).toBe(0x1234);
    expect(answer?.readUInt16BE(6)).toBe(1);
    expect([...(answer?.subarray(-4) ?? [])]).toEqual([127, 0, 0, 1]);
  });

  it('has no IPv6 address for them', () => {
    const answer = answerQuery(query('ghcr.io', AAAA), ['ghcr.io']);
    expect([statusOf(answer), answer?.readUInt16BE(6)]).toEqual([0, 0]);
  });

  it('says that any other name does not exist', () => {
    expect(statusOf(answerQuery(query('evil-ghcr.io', A), ['ghcr.io', '*.azurecr.io']))).toBe(3);
  });

  it.each([
    Buffer.alloc(0),
    Buffer.alloc(12),
    Buffer.from([...Buffer.alloc(12), 0xc0, 12]),
    query('ghcr.io', A).subarray(0, 18),
  ])('is silent about what is no question (%#)', (message) =>
    expect(answerQuery(message, ['ghcr.io'])).toBeUndefined());

  it('takes a star for any names before the rest', () => {
    const known = (name: string) => matchesHost(name, ['*.azurecr.io']);
    expect(['a.azurecr.io', 'A.B.azurecr.io', 'azurecr.io', 'evilazurecr.io'].map(known)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

function query(name: string, type: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x1234, 0);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.concat([header, Buffer.from([...labels, 0, 0, type, 0, 1])]);
}

function statusOf(answer: Buffer | undefined): number | undefined {
  const flags = answer?.readUInt16BE(2);
  return flags === undefined ? undefined : flags & 0xf;
}

/** Record types (RFC 1035 §3.2.2). */
const TYPE_A = 1;
const CLASS_IN = 1;
const NO_SUCH_NAME = 3;
const HEADER = 12;

/**
 * The answer of a name server that knows some hosts, all on this machine, and knows that there are no others
 * (RFC 1035 §4). IPv6 addresses and other records are empty answers.
 *
 * @param hosts names; `*.` at the front stands for any names before the rest.
 * @returns undefined for a message that is no question.
 */
export function answerQuery(query: Buffer, hosts: readonly string[]): Buffer | undefined {
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    labels.push(query.toString('latin1', at, at + length));
    at += length;
  }
  if (query.length < at + 4) return undefined;
  const question = query.subarray(HEADER, at + 4);
  const isKnown = matchesHost(labels.join('.'), hosts);
  const isAddress = isKnown && query.readUInt16BE(at) === TYPE_A;
  const header = Buffer.alloc(HEADER);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580 | (isKnown ? 0 : NO_SUCH_NAME), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isAddress ? 1 : 0, 6);
  if (!isAddress) return Buffer.concat([header, question]);
  // 0xc00c points at the question's name; one second to live, four octets.
  const record = Buffer.from([0xc0, HEADER, 0, TYPE_A, 0, CLASS_IN, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([header, question, record]);
}

/** Whether a host name is one of some names, of which `*.x` stands for everything below x. */
export function matchesHost(name: string, hosts: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return hosts.some((host) => (host.startsWith('*.') ? lower.endsWith(host.slice(1)) : lower === host));
}

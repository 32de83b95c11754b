interface Network {
  readonly address: number;
  readonly bits: number;
}

function parse(text: string): Network | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1, 5).map(Number);
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits: Number(match[5] ?? 32) };
}

function overlap(one: Network, other: Network): boolean {
  const bits = Math.min(one.bits, other.bits);
  if (bits === 0) return true;
  const mask = (0xffffffff << (32 - bits)) >>> 0;
  return (one.address & mask) >>> 0 === (other.address & mask) >>> 0;
}

/**
 * Picks a network of 256 addresses that no route of the machine touches.
 *
 * @param routes the words of `ip -4 route show table all`; the default route is no obstacle.
 * @param random uniform in [0, 1).
 * @returns its first three numbers with a dot behind, for example `10.213.7.`.
 * @throws Error when 200 tries found none.
 */
export function freeSubnet(routes: string, random: () => number): string {
  const taken = routes
    .split(/\s+/)
    .map(parse)
    .filter((network) => network !== undefined)
    .filter((network) => network.bits > 0 && network.address !== 0);
  for (let tries = 0; tries < 200; tries++) {
    const start = tries % 2 === 0 ? '10.213' : '172.29';
    const subnet = `${start}.${Math.floor(random() * 256)}.`;
    const network = parse(`${subnet}0/24`);
    if (network !== undefined && !taken.some((other) => overlap(network, other))) return subnet;
  }
  throw new Error('no free private network of 256 addresses in 10.213.0.0/16 and 172.29.0.0/16');
}

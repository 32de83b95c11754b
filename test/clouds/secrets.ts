/** A step's log without the lines that tell the runner what to mask: those hold the secrets by their nature. */
export function withoutMasks(log: string): string {
  return log
    .split('\n')
    .filter((line) => !line.startsWith('::add-mask::'))
    .join('\n');
}

/**
 * Where secrets stand in texts: as they are, as part of a URL or form, and inside of base64 of something longer, as
 * HTTP and Docker's configuration carry a password.
 *
 * @param texts by the name of their place.
 * @returns one line for each find, with as much of the secret as tells which it is.
 */
export function secretsIn(texts: Readonly<Record<string, string>>, secrets: readonly string[]): string[] {
  return Object.entries(texts).flatMap(([place, text]) =>
    secrets
      .filter((secret) => spellings(secret).some((spelling) => text.includes(spelling)))
      .map((secret) => `${secret.slice(0, 12)}… in ${place}`),
  );
}

function spellings(secret: string): string[] {
  // By what stands before it, a text has three spellings in base64; the first and last four letters hold other bytes too.
  const inside = ['', '_', '__'].map((before) => Buffer.from(`${before}${secret}`).toString('base64').slice(4, -4));
  return [secret, encodeURIComponent(secret), ...inside];
}

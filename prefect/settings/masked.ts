/**
 * A text with `***` for each secret in it.
 *
 * @param secrets the longest first, as PrefectSettings has them: of one that holds another, no rest is left over.
 */
export function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/**
 * A remote's URL without the user name and password in it (design.md, difference 9). The user of an SSH address is
 * no secret and stays (`git@github.com:o/r.git`, `ssh://git@host/o/r`); a password in one is taken out.
 */
export function stripCredentials(url: string): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)@(.*)$/is.exec(url);
  if (match === null) return url;
  const [, scheme = '', userInfo = '', rest = ''] = match;
  if (!/(^|\+)ssh$/i.test(scheme)) return `${scheme}://${rest}`;
  const user = userInfo.split(':')[0] ?? '';
  return user === '' ? `${scheme}://${rest}` : `${scheme}://${user}@${rest}`;
}

/**
 * Where a browser finds the repository: `https://host/o/r` without credentials and `.git`; undefined for a remote on
 * this machine's disk, whose path is nobody's business.
 */
export function webUrl(remote: string): string | undefined {
  const address = /^(?:https?|(?:git\+)?ssh|git):\/\/(?:[^/@]*@)?([^/?#]+)\/+([^?#]+)/i.exec(remote);
  const scp = /^(?:[^/@:]+@)?([^/:@]{2,}):(?!\/\/)\/*([^?#]+)$/.exec(remote);
  const [, authority, path] = address ?? scp ?? [];
  if (authority === undefined || path === undefined) return undefined;
  const isHttp = /^https?:/i.test(remote);
  const scheme = /^http:/i.test(remote) ? 'http' : 'https';
  const host = isHttp ? authority : authority.replace(/:\d*$/, '');
  return `${scheme}://${host}/${path.replace(/\/+$/, '').replace(/\.git$/, '')}`;
}

/** `o/r` of such an address, undefined like there. */
export function repositoryOf(remote: string): string | undefined {
  const url = webUrl(remote);
  return url === undefined ? undefined : new URL(url).pathname.replace(/^\/+/, '');
}

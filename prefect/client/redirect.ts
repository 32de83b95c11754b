/** What to do about an answer that names another address. */
export type RedirectTarget =
  | { readonly kind: 'none' }
  | { readonly kind: 'follow'; readonly url: string }
  | { readonly kind: 'refuse'; readonly detail: string };

const KEEPS_METHOD = new Set([307, 308]);
const MAY_BECOME_GET = new Set([301, 302, 303]);

/**
 * Redirects are followed on the same host only, from http to https at most: elsewhere key and parameters would go to
 * whoever the answer names. A write is only repeated where it stays a write (307, 308); httpx makes a GET of it
 * otherwise, which looks like success and writes nothing.
 *
 * @param from the address asked, `location` the answer's header.
 */
export function redirectTarget(method: string, from: string, status: number, location: string | null): RedirectTarget {
  if (!KEEPS_METHOD.has(status) && !MAY_BECOME_GET.has(status)) return { kind: 'none' };
  const source = new URL(from);
  const target = location !== null && URL.canParse(location, from) ? new URL(location, from) : null;
  if (target === null) return { kind: 'refuse', detail: 'redirected, and does not say where to' };
  const upgraded = source.protocol === 'http:' && target.protocol === 'https:' && source.hostname === target.hostname;
  const same = source.origin === target.origin || upgraded;
  if (same && (method === 'GET' || KEEPS_METHOD.has(status))) return { kind: 'follow', url: target.href };
  // Without its query, which may hold a ticket of some sign-in.
  return { kind: 'refuse', detail: `redirected to ${target.origin}${target.pathname}, which is not followed` };
}

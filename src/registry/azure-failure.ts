import { Problem } from '../problem.ts';
import { describeClaims, type OidcClaims } from './oidc.ts';

/** Entra's error codes that a person can mend (Microsoft's list of AADSTS codes). */
const CODES: readonly { readonly codes: RegExp; readonly message: string; readonly remedy: string }[] = [
  {
    codes: /AADSTS(?:70021|700211|700212|700213|7002138)\b/,
    message: 'no federated credential of the application fits this job',
    remedy: 'Add one with exactly this issuer, subject and audience to the application (docs/guides/azure.md).',
  },
  {
    codes: /AADSTS(?:700016|7000112)\b/,
    message: 'the application is not in that tenant, or is disabled',
    remedy: 'Check azure-client-id and azure-tenant-id.',
  },
  {
    codes: /AADSTS(?:90002|900023|90019|50059)\b/,
    message: 'there is no such tenant',
    remedy: 'Check azure-tenant-id, and that the registry is in that tenant’s cloud.',
  },
  {
    codes: /AADSTS(?:7000215|7000222)\b/,
    message: 'the client secret is wrong or has expired',
    remedy: 'Renew it, or sign in without one by azure-client-id and azure-tenant-id.',
  },
  {
    codes: /AADSTS(?:500011|650057)\b/,
    message: 'the tenant does not know Azure’s container registries',
    remedy: 'Register the resource provider Microsoft.ContainerRegistry in a subscription of that tenant.',
  },
];

/** Why Entra gave no token to an identity. @param claims those of GitHub's token that was sent. */
export function azureProblem(
  error: unknown,
  { who, claims }: { readonly who: string; readonly claims?: OidcClaims },
): Problem {
  if (error instanceof Problem) return error;
  const said = wordsOf(error);
  const sent = claims === undefined ? '' : ` ${describeClaims(claims)}.`;
  const known = CODES.find(({ codes }) => codes.test(said));
  const [message, remedy] =
    known === undefined
      ? [said, 'Check the identity and that this runner can reach Entra (firewall, proxy), and run the job again.']
      : [`${known.message} (${known.codes.exec(said)?.[0] ?? ''})`, known.remedy];
  return new Problem(`Azure gave no token to ${who}: ${message}`, { remedy: `${remedy}${sent}`, cause: error });
}

/** Entra's words without trace and time, one line. */
function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = text.indexOf('AADSTS');
  return (code === -1 ? text : text.slice(code)).split(/\n| Trace ID:/)[0]?.slice(0, 400) ?? '';
}

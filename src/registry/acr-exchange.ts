import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { Log } from '../world.ts';
import { type Credentials, NO_USER } from './model.ts';
import { jsonOf, NoAnswer, type RegistryAnswer, type RegistryWorld, send } from './request.ts';

/** A token of Entra for container registries. */
export interface EntraToken {
  readonly token: string;
  /** For the log. */
  readonly source: string;
}

const Exchanged = z.looseObject({ refresh_token: z.string().min(1) });

/**
 * The registry's own exchange of a token of Entra for a refresh token, the password of a user without a name
 * (`POST /oauth2/exchange`). Entra's token stands in the body, so a redirect, which would carry it to another host, is
 * refused.
 *
 * @param tenant where the token is from, when that is known.
 * @throws Problem when the registry gives none.
 */
export async function exchangeEntraToken(
  host: string,
  { token, source }: EntraToken,
  tenant: string | undefined,
  world: RegistryWorld & { readonly log: Pick<Log, 'mask'> },
): Promise<Credentials> {
  const form = new URLSearchParams({ grant_type: 'access_token', service: host, access_token: token });
  if (tenant !== undefined) form.set('tenant', tenant);
  let answer: RegistryAnswer;
  try {
    const url = new URL(`https://${host}/oauth2/exchange`);
    answer = await send(world, url, { method: 'POST', form, redirects: 'refuse' });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (error.code === 'redirect') {
      throw new Problem(`registry ${host} redirects its token exchange, which is not followed with a token`, {
        remedy: 'Use the registry’s own login server as the host of the image.',
        cause: error,
      });
    }
    throw new Problem(`registry ${host} could not be asked for a token: ${error.code}`, {
      remedy: 'Correct the host in the image name, and check that this runner can reach it (firewall, proxy).',
      cause: error,
    });
  }
  const password = answer.status === 200 ? Exchanged.safeParse(jsonOf(answer)).data?.refresh_token : undefined;
  if (password !== undefined) {
    world.log.mask(password);
    return { kind: 'basic', username: NO_USER, password, source };
  }
  throw exchangeProblem(host, source, answer);
}

const ErrorBody = z.looseObject({
  errors: z.array(z.looseObject({ message: z.string().optional(), code: z.string().optional() })),
});

function exchangeProblem(host: string, source: string, answer: RegistryAnswer): Problem {
  const [first] = ErrorBody.safeParse(jsonOf(answer)).data?.errors ?? [];
  const said = first?.message ?? first?.code ?? `status ${answer.status}`;
  const isFirewall = /ip .* not allowed|firewall|public network/i.test(said);
  return new Problem(`registry ${host} gives no password to ${source}: ${said}`, {
    remedy: isFirewall
      ? 'Let the registry’s network rules allow this runner, or use a runner inside its network.'
      : `Give it the role AcrPush on the registry ${host} (docs/guides/azure.md), and check azure-tenant-id.`,
  });
}

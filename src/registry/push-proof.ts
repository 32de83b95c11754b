import { isRefusal, missingRepositoryProblem, pushRefusedProblem, saidBy } from './failure.ts';
import type { Credentials } from './model.ts';
import type { Repository } from './repository.ts';
import { NoAnswer, type RegistryAnswer, type RegistryWorld, send } from './request.ts';

export interface PushProof {
  readonly repository: Repository;
  readonly credentials: Credentials | undefined;
  readonly world: RegistryWorld;
  /** Origin of the registry's API. */
  readonly base: URL;
  /** Header for pulling and pushing; undefined where the registry wants none. */
  readonly authorization: string | undefined;
}

/**
 * Begins an upload and gives it up again (distribution spec, "Pushing blobs"). Only a clear no is an error: a registry
 * that answers in a way of its own, or sends uploads elsewhere, may still take the push.
 *
 * @throws Refusal when pushing is not allowed, Problem when the repository does not exist.
 */
export async function provePush(proof: PushProof): Promise<void> {
  const { repository, credentials, world, base } = proof;
  const url = new URL(`/v2/${repository.path}/blobs/uploads/`, base);
  const header = proof.authorization === undefined ? {} : { authorization: proof.authorization };
  const answer = await send(world, url, { method: 'POST', redirects: 'refuse', ...header }).catch((error: unknown) => {
    if (error instanceof NoAnswer && error.code === 'redirect') return undefined;
    throw error;
  });
  if (answer === undefined) return;
  switch (verdictOn(answer)) {
    case 'refused':
      throw pushRefusedProblem(repository, credentials, answer);
    case 'missing':
      throw missingRepositoryProblem(repository, answer);
    case 'begun':
      await giveUp(answer, url, header, world);
      return;
    case 'unclear':
      return;
  }
}

/** What an answer to the beginning of an upload means, pure. */
export function verdictOn(answer: RegistryAnswer): 'begun' | 'refused' | 'missing' | 'unclear' {
  if (answer.status === 202) return 'begun';
  if (isRefusal(answer.status)) return 'refused';
  if (answer.status === 404) return 'missing';
  // ECR's answer to a password that is none of its own.
  return answer.status === 400 && /authorization token/i.test(saidBy(answer)) ? 'refused' : 'unclear';
}

/** An upload that is left lying is cleared away by the registry in time: this is only good manners. */
async function giveUp(
  begun: RegistryAnswer,
  from: URL,
  header: { readonly authorization?: string },
  world: RegistryWorld,
): Promise<void> {
  const location = begun.headers.get('location');
  if (location === null || !URL.canParse(location, from.href)) return;
  const upload = new URL(location, from);
  if (upload.origin !== from.origin) return;
  try {
    await send(world, upload, { method: 'DELETE', redirects: 'refuse', ...header });
  } catch {
    world.signal.throwIfAborted();
  }
}

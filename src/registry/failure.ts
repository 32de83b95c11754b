import * as z from 'zod';
import { Problem } from '../problem.ts';
import type { Credentials } from './model.ts';
import { explainMissingRepository, explainPushRefusal, signInRemedy } from './push-refusal.ts';
import type { Repository } from './repository.ts';
import { jsonOf, type NoAnswer, type RegistryAnswer } from './request.ts';

/** Statuses by which a registry or its token service says no. */
export function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

/** The registry, or its token service, does not take these credentials: others may serve. */
export class Refusal extends Problem {}

/**
 * The Problem of a registry that refused: with no credentials, or with those that were sent.
 *
 * @param answer what it said, undefined when it was not even asked.
 */
export function refusedProblem(
  host: string,
  credentials: Credentials | undefined,
  answer: RegistryAnswer | undefined,
): Refusal {
  if (credentials === undefined) {
    return new Refusal(`registry ${host} wants a sign-in, and no credentials for it were found`, {
      remedy: signInRemedy(host),
    });
  }
  const said = answer === undefined ? '' : saidBy(answer);
  const words = said === '' ? '' : `: ${said}`;
  return new Refusal(`registry ${host} refused the credentials from ${credentials.source}${words}`, {
    remedy: `Check user and password or token, and that it may push there and has not expired. ${signInRemedy(host)}`,
  });
}

/** The Problem of a registry that knows the credentials but does not let them push here. */
export function pushRefusedProblem(
  repository: Repository,
  credentials: Credentials | undefined,
  answer: RegistryAnswer,
): Refusal {
  if (credentials === undefined) return refusedProblem(repository.host, credentials, answer);
  const [message, remedy] = explainPushRefusal(repository, credentials.source, saidBy(answer));
  return new Refusal(message, { remedy });
}

/** The Problem of a repository that is not there: other credentials would not help. */
export function missingRepositoryProblem(repository: Repository, answer: RegistryAnswer): Problem {
  const [message, remedy] = explainMissingRepository(repository, saidBy(answer));
  return new Problem(message, { remedy });
}

/** The Problem of a registry that could not be spoken to. */
export function noAnswerProblem(host: string, error: NoAnswer): Problem {
  const at = error.url.origin;
  const problem = (message: string, remedy: string) => new Problem(message, { remedy, cause: error });
  switch (error.code) {
    case 'ECONNREFUSED':
      return problem(
        `registry ${host} cannot be reached: nothing listens at ${at}`,
        'Start the registry, or correct host and port in the image name.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return problem(
        `registry ${host} cannot be reached: the name ${error.url.hostname} is not known`,
        'Correct the host in the image name, or the runner’s DNS.',
      );
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return problem(
        `registry ${host} speaks plain HTTP where HTTPS is needed`,
        'Put TLS before the registry; plain HTTP is spoken to localhost alone, since it would show the password.',
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return problem(
        `the certificate of registry ${host} is signed by nobody this runner trusts (${error.code})`,
        'Let NODE_EXTRA_CA_CERTS name the authority’s certificate for this step, and give it to the builder as well.',
      );
    case 'CERT_HAS_EXPIRED':
      return problem(`the certificate of registry ${host} has expired`, 'Renew the registry’s certificate.');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return problem(
        `the certificate of registry ${host} is for another name`,
        'Use the name in the certificate as host of the image.',
      );
    case 'bad port':
      return problem(
        `registry ${host} is on a port that HTTP clients refuse (the Fetch standard’s list of bad ports)`,
        'Correct the port in the image name, or run the registry on another one.',
      );
    case 'plain http':
      return problem(
        `registry ${host} redirects to plain HTTP at ${at}`,
        'Let the registry be reached by HTTPS all the way.',
      );
    case 'redirect':
      return problem(
        `the token service ${at} of registry ${host} redirects a sign-in`,
        'Let the registry name the token service’s final address as its realm: a password does not follow a redirect.',
      );
    case 'deadline':
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return problem(
        `registry ${host} did not answer in time`,
        'Check that this runner may reach it (firewall, proxy), and run the job again.',
      );
    default:
      return problem(
        `registry ${host} could not be spoken to (${error.code})`,
        'Check that this runner can reach it (firewall, proxy), and run the job again.',
      );
  }
}

const ErrorBody = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string().optional(), message: z.string().optional() })).optional(),
  details: z.string().optional(),
  error_description: z.string().optional(),
});

/**
 * The reason in an error body of a registry (`errors`) or token service, or in a body of one plain line, as ECR's; empty
 * when it gives none.
 */
export function saidBy(answer: RegistryAnswer): string {
  const json = jsonOf(answer);
  const body = ErrorBody.safeParse(json).data;
  const [first] = body?.errors ?? [];
  const plain = json === undefined ? Buffer.from(answer.body).toString('utf8').trim() : '';
  const said = first?.message ?? first?.code ?? body?.details ?? body?.error_description;
  const text = said ?? (/^[^<\n]+$/.test(plain) ? plain : '');
  return text.split('\n')[0]?.slice(0, 400) ?? '';
}

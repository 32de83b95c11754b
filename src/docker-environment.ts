/** What the action alone is given: its inputs and state, and the means to ask GitHub for the job's identity. */
const OWN = /^(?:INPUT_.*|STATE_.*|ACTIONS_ID_TOKEN_REQUEST_.*)$/;
const PREFECT_SECRETS = ['PREFECT_API_KEY', 'PREFECT_API_AUTH_STRING'];

/**
 * The environment of docker and of its credential helpers: the job's, without secrets that they have no use for. The
 * runner's cache token stays, BuildKit's cache `type=gha` lives on it.
 *
 * @param named texts that may name a variable on purpose, such as a build secret `id=key,env=PREFECT_API_KEY`.
 */
export function dockerEnvironment(
  env: Readonly<Record<string, string>>,
  named: readonly string[] = [],
): Record<string, string> {
  const isMeant = (name: string) => named.some((text) => text.split(',').includes(`env=${name}`));
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !OWN.test(name) && (!PREFECT_SECRETS.includes(name) || isMeant(name))),
  );
}

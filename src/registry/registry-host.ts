import type { RegistryKind } from '../inputs/registry.ts';
import { Problem } from '../problem.ts';

/** Whose registry a host is, with what its name tells; credentials of a cloud go to hosts of that cloud alone. */
export type RegistryHost =
  | {
      readonly kind: 'ecr';
      readonly partition: AwsPartition;
      readonly region: string;
      /** Twelve digits; undefined when the host is a name of the user's own. */
      readonly account: string | undefined;
      readonly fips: boolean;
      readonly dualStack: boolean;
    }
  | { readonly kind: 'ecr-public' }
  /** Artifact Registry. `location` is undefined when the host is a name of the user's own. */
  | { readonly kind: 'gar'; readonly location: string | undefined }
  /** Its old names, served by Artifact Registry from a repository called as the host. */
  | { readonly kind: 'gcr'; readonly location: string }
  | { readonly kind: 'acr'; readonly cloud: AzureCloud }
  | { readonly kind: 'ghcr' }
  | { readonly kind: 'dockerhub' }
  | { readonly kind: 'generic' };

export type AwsPartition =
  | 'aws'
  | 'aws-cn'
  | 'aws-us-gov'
  | 'aws-eusc'
  | 'aws-iso'
  | 'aws-iso-b'
  | 'aws-iso-e'
  | 'aws-iso-f';
export type AzureCloud = 'public' | 'china' | 'usgov';

/** AWS's partitions: the regions each has and the ends of its registry hosts (AWS's own endpoint rules). */
const AWS: readonly {
  readonly partition: AwsPartition;
  readonly region: RegExp;
  readonly suffix: string;
  /** End of the dual-stack names, where there are such. */
  readonly dualStackSuffix?: string;
}[] = [
  {
    partition: 'aws-cn',
    region: /^cn-[a-z]+-\d+$/,
    suffix: 'amazonaws.com.cn',
    dualStackSuffix: 'on.amazonwebservices.com.cn',
  },
  { partition: 'aws-us-gov', region: /^us-gov-[a-z]+-\d+$/, suffix: 'amazonaws.com', dualStackSuffix: 'on.aws' },
  {
    partition: 'aws-eusc',
    region: /^eusc-[a-z]+-[a-z]+-\d+$/,
    suffix: 'amazonaws.eu',
    dualStackSuffix: 'on.amazonwebservices.eu',
  },
  { partition: 'aws-iso', region: /^us-iso-[a-z]+-\d+$/, suffix: 'c2s.ic.gov' },
  { partition: 'aws-iso-b', region: /^us-isob-[a-z]+-\d+$/, suffix: 'sc2s.sgov.gov' },
  { partition: 'aws-iso-e', region: /^eu-isoe-[a-z]+-\d+$/, suffix: 'cloud.adc-e.uk' },
  { partition: 'aws-iso-f', region: /^us-isof-[a-z]+-\d+$/, suffix: 'csp.hci.ic.gov' },
  {
    partition: 'aws',
    region: /^(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+$/,
    suffix: 'amazonaws.com',
    dualStackSuffix: 'on.aws',
  },
];

/** Where the repositories behind gcr.io's names are kept (Artifact Registry's transition guide). */
const GCR_LOCATIONS: ReadonlyMap<string, string> = new Map([
  ['gcr.io', 'us'],
  ['us.gcr.io', 'us'],
  ['eu.gcr.io', 'europe'],
  ['asia.gcr.io', 'asia'],
]);

const AZURE_CLOUDS: ReadonlyMap<string, AzureCloud> = new Map([
  ['io', 'public'],
  ['cn', 'china'],
  ['us', 'usgov'],
]);

/**
 * Whose registry a host is, by its whole name: what merely contains or ends like a cloud's name is `generic`, and so is
 * a cloud's name with a port, since those registries are on 443 alone.
 *
 * @param host as `registryHost` gives it.
 */
export function readRegistryHost(host: string): RegistryHost {
  const name = host.toLowerCase();
  if (name === 'docker.io') return { kind: 'dockerhub' };
  if (name === 'ghcr.io') return { kind: 'ghcr' };
  if (name === 'public.ecr.aws' || name === 'ecr-public.aws.com') return { kind: 'ecr-public' };
  const gcr = GCR_LOCATIONS.get(name);
  if (gcr !== undefined) return { kind: 'gcr', location: gcr };
  const location = /^([a-z]+(?:-[a-z]+\d+)?)-docker\.pkg\.dev$/.exec(name)?.[1];
  if (location !== undefined) return { kind: 'gar', location };
  const cloud = AZURE_CLOUDS.get(/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+azurecr\.([a-z]+)$/.exec(name)?.[1] ?? '');
  if (cloud !== undefined) return { kind: 'acr', cloud };
  return readEcrHost(name) ?? { kind: 'generic' };
}

function readEcrHost(name: string): RegistryHost | undefined {
  const match = /^(\d{12})\.dkr([.-])ecr(-fips)?\.([a-z0-9-]+)\.([a-z0-9.-]+)$/.exec(name);
  if (match === null) return undefined;
  const [, account, separator, fips, region = '', suffix] = match;
  const dualStack = separator === '-';
  const found = AWS.find((one) => one.region.test(region) && (dualStack ? one.dualStackSuffix : one.suffix) === suffix);
  return found && { kind: 'ecr', partition: found.partition, region, account, fips: fips !== undefined, dualStack };
}

/** The partition a region belongs to; undefined for what is no region of AWS. */
export function partitionOf(region: string): AwsPartition | undefined {
  return AWS.find((one) => one.region.test(region))?.partition;
}

/**
 * Whose registry a host is, with the input `registry` taken into account: `generic` keeps every cloud out of it, any
 * other kind tells what a name of the user's own (a proxy, GitHub Enterprise) does not. A host whose name belongs to
 * somebody is never taken for another's: that would hand the one's credentials to the other.
 *
 * @param asked the input `registry`.
 * @param env for the region of an ECR behind a name of the user's own.
 * @throws Problem when the two contradict each other, or such an ECR's region is not known.
 */
export function decideRegistryHost(
  host: string,
  asked: RegistryKind,
  env: Readonly<Record<string, string>>,
): RegistryHost {
  const own = readRegistryHost(host);
  if (asked === 'auto' || asked === own.kind) return own;
  if (asked === 'generic') return { kind: 'generic' };
  if (own.kind !== 'generic') {
    const isGoogle = (kind: RegistryKind) => kind === 'gar' || kind === 'gcr';
    if (isGoogle(own.kind) && isGoogle(asked)) return own;
    throw new Problem(`the input registry is ${asked}, but ${host} is a registry of another kind: ${own.kind}`, {
      remedy: `Leave the input registry out, or write ${own.kind} or generic.`,
    });
  }
  switch (asked) {
    case 'ecr':
      return ecrBehind(host, env);
    case 'gar':
    case 'gcr':
      return { kind: 'gar', location: undefined };
    case 'acr':
      return { kind: 'acr', cloud: 'public' };
    default:
      return { kind: asked };
  }
}

function ecrBehind(host: string, env: Readonly<Record<string, string>>): RegistryHost {
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || '';
  const partition = partitionOf(region);
  if (partition !== undefined) {
    return { kind: 'ecr', partition, region, account: undefined, fips: false, dualStack: false };
  }
  throw new Problem(`the input registry is ecr, and the name ${host} does not tell the region`, {
    remedy:
      'Set AWS_REGION in the job’s `env:`, or use the registry’s own name (account.dkr.ecr.region.amazonaws.com).',
  });
}

import { ACCOUNT, type AwsRole, type AwsSts, startAwsSts } from './aws-sts.ts';
import { type Azure, startAzure } from './azure.ts';
import { type Cloud, notFound } from './cloud.ts';
import { type DockerIdentity, startDockerIdentity } from './docker-identity.ts';
import { type Ecr, startEcr } from './ecr.ts';
import { type EcrPublic, startEcrPublic } from './ecr-public.ts';
import { type GitHub, SUBJECT, startGitHub } from './github.ts';
import { type Google, startGoogle } from './google.ts';
import { type Metadata, startMetadata } from './metadata.ts';
import type { Minted } from './minted.ts';
import { type PasswordRegistries, startPasswordRegistries } from './passwords.ts';

/** All clouds of one test, as an owner has set them up who did everything right; a test then spoils what it is about. */
export interface Sky extends PasswordRegistries {
  readonly clouds: readonly Cloud[];
  readonly github: GitHub;
  readonly aws: AwsSts;
  readonly role: AwsRole;
  readonly chinaRole: AwsRole;
  readonly govRole: AwsRole;
  readonly ecr: Ecr;
  readonly ecrChina: Ecr;
  readonly ecrGov: Ecr;
  readonly ecrPublic: EcrPublic;
  readonly google: Google;
  readonly azure: Azure;
  readonly metadata: Metadata;
  readonly dockerIdentity: DockerIdentity;
}

/** The policy of a role that pushes and makes repositories (the READMEs of AWS's own actions). */
const AWS_ACTIONS = [
  'ecr:GetAuthorizationToken',
  'ecr:BatchCheckLayerAvailability',
  'ecr:InitiateLayerUpload',
  'ecr:UploadLayerPart',
  'ecr:CompleteLayerUpload',
  'ecr:PutImage',
  'ecr:BatchGetImage',
  'ecr:GetDownloadUrlForLayer',
  'ecr:DescribeRepositories',
  'ecr:CreateRepository',
  'ecr-public:GetAuthorizationToken',
  'sts:GetServiceBearerToken',
  'ecr-public:PutImage',
  'ecr-public:DescribeRepositories',
  'ecr-public:CreateRepository',
];

/** `roles/artifactregistry.admin`, as far as it is asked. */
const GOOGLE_PERMISSIONS = [
  'artifactregistry.repositories.get',
  'artifactregistry.repositories.create',
  'artifactregistry.repositories.uploadArtifacts',
  'artifactregistry.repositories.downloadArtifacts',
];

/** A host where registries keep their bytes: it gives none, and what it is asked is seen. */
const ELSEWHERE: Cloud = { hosts: ['cdn.example.net'], reply: () => notFound };

export async function openSky(minted: Minted): Promise<Sky> {
  const github = await startGitHub(minted);
  const roleIn = (partition: string, suffix = 'amazonaws.com'): AwsRole => ({
    arn: `arn:${partition}:iam::${ACCOUNT}:role/deploy`,
    audience: `sts.${suffix}`,
    subject: SUBJECT,
    actions: new Set(AWS_ACTIONS),
  });
  const [role, chinaRole, govRole] = [roleIn('aws'), roleIn('aws-cn', 'amazonaws.com.cn'), roleIn('aws-us-gov')];
  const hosts = ['us-east-1', 'us-gov-west-1'].map((region) => `sts.${region}.amazonaws.com`);
  const aws = startAwsSts([...hosts, 'sts.cn-north-1.amazonaws.com.cn'], [role, chinaRole, govRole], github, minted);
  const ecr = startEcr(aws, minted, 'us-east-1');
  const ecrChina = startEcr(aws, minted, 'cn-north-1', 'amazonaws.com.cn');
  const ecrGov = startEcr(aws, minted, 'us-gov-west-1', 'amazonaws.com', '-fips');
  const ecrPublic = startEcrPublic(aws, minted);
  const google = startGoogle(github, minted);
  google.permissions.federated.add('iam.serviceAccounts.getAccessToken');
  for (const permission of GOOGLE_PERMISSIONS) {
    google.permissions.federated.add(permission);
    google.permissions.serviceAccount.add(permission);
  }
  const azure = startAzure(github, minted);
  azure.actions.add('pull').add('push');
  const metadata = startMetadata(aws, role, google, azure, minted);
  const dockerIdentity = startDockerIdentity(github, minted);
  const passwords = startPasswordRegistries(minted, (token) => dockerIdentity.knows(token));
  const parts = [
    github,
    { clouds: [aws.cloud] },
    ecr,
    ecrChina,
    ecrGov,
    ecrPublic,
    google,
    azure,
    metadata,
    { clouds: [dockerIdentity.cloud] },
    passwords.ghcr,
    passwords.dockerHub,
    passwords.basic,
    passwords.bearer,
    { clouds: [ELSEWHERE] },
  ];
  return {
    clouds: parts.flatMap((part) => part.clouds),
    github,
    aws,
    role,
    chinaRole,
    govRole,
    ecr,
    ecrChina,
    ecrGov,
    ecrPublic,
    google,
    azure,
    metadata,
    dockerIdentity,
    ...passwords,
  };
}

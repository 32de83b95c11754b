import { describe, expect, it } from 'vitest';
import { type GeneratedParts, generatedDockerfile } from './generate.ts';
import { ignoreFile } from './ignore.ts';

const PARTS: GeneratedParts = {
  baseImage: 'prefecthq/prefect:3-latest',
  directory: '/opt/prefect/hello',
  dependencies: { kind: 'none', note: undefined },
  ignore: '**/.git\n',
};
const contentOf = (different: Partial<GeneratedParts>) => generatedDockerfile({ ...PARTS, ...different }).content;

/** Prefect's own text stands in src/steps/build-docker-image.test.ts. */
describe('a generated Dockerfile', () => {
  it('installs what uv.lock says before the code is copied', () => {
    expect(contentOf({ dependencies: { kind: 'uv.lock' } })).toBe(`FROM prefecthq/prefect:3-latest
ARG PYC_INVALIDATION_MODE=CHECKED_HASH
COPY pyproject.toml uv.lock /opt/prefect/hello/
WORKDIR /opt/prefect/hello/
RUN uv export --quiet --frozen --no-dev --no-emit-workspace --output-file /tmp/locked.txt && uv pip install -r /tmp/locked.txt && rm /tmp/locked.txt
COPY . /opt/prefect/hello/
WORKDIR /opt/prefect/hello/
`);
  });

  it('installs what pyproject.toml lists before the code is copied', () => {
    expect(contentOf({ dependencies: { kind: 'pyproject.toml' } })).toBe(`FROM prefecthq/prefect:3-latest
ARG PYC_INVALIDATION_MODE=CHECKED_HASH
COPY pyproject.toml /opt/prefect/hello/
WORKDIR /opt/prefect/hello/
RUN uv pip install -r pyproject.toml
COPY . /opt/prefect/hello/
WORKDIR /opt/prefect/hello/
`);
  });

  it('lends installing the build’s secrets, and keeps none', () => {
    const lines = contentOf({ dependencies: { kind: 'requirements.txt' }, secretIds: ['UV_INDEX_PRIVATE_PASSWORD'] });
    expect(lines).toContain(
      'RUN --mount=type=secret,id=UV_INDEX_PRIVATE_PASSWORD,env=UV_INDEX_PRIVATE_PASSWORD uv pip install -r ',
    );
  });

  it('copes with a folder whose name needs quotes', () => {
    expect(contentOf({ directory: '/opt/prefect/my flows', dependencies: { kind: 'uv.lock' } })).toContain(
      'COPY ["pyproject.toml","uv.lock","/opt/prefect/my flows/"]\n',
    );
  });
});

describe('what a generated Dockerfile leaves out', () => {
  it.each([
    '**/.git',
    '**/.env',
    '**/*.pem',
    '**/*.key',
    '**/id_rsa',
    '**/.aws',
    '**/gha-creds-*.json',
    '**/.venv',
    '**/__pycache__',
    '**/node_modules',
  ])('has %s when the project says nothing', (pattern) => {
    expect(ignoreFile(undefined).split('\n')).toContain(pattern);
  });

  it('is what the project says, and git’s folder before that', () => {
    expect(ignoreFile('data\n!data/keep\n')).toBe('**/.git\ndata\n!data/keep\n');
    expect(ignoreFile('data')).toBe('**/.git\ndata\n');
  });
});

import { describe, expect, it } from 'vitest';
import { withSettingsFiles } from './files.ts';
import { readSettings } from './index.ts';

const PROFILES = `active = "work"
[profiles.work]
PREFECT_API_URL = "http://profile/api"
PREFECT_DEFAULT_WORK_POOL_NAME = "profile-pool"
PREFECT_CLIENT_MAX_RETRIES = 7
[profiles.other]
PREFECT_API_URL = "http://other/api"
[profiles.lower]
prefect_api_url = "http://lower/api"
[profiles.headers]
PREFECT_CLIENT_CUSTOM_HEADERS = '{"a": "b"}'
PREFECT_CLIENT_RETRY_EXTRA_CODES = "500,504"
`;
const TOML = `[api]
url = "http://toml/api"
[client]
max_retries = 2
retry_extra_codes = [500, 504]
[client.custom_headers]
X-Team = "data"
[deployments]
default_work_pool_name = "toml-pool"
`;
const PYPROJECT = `[tool.prefect.client]
max_retries = 3
[tool.prefect.deployments]
default_work_pool_name = "pyproject-pool"
default_docker_build_namespace = "ns"
`;
const DOTENV = `PREFECT_CLIENT_MAX_RETRIES=4
export PREFECT_DEFAULT_WORK_POOL_NAME="dotenv-pool" # c
OTHER=1
`;

type Places = { files?: Record<string, string>; writtenBy?: 'operator' | 'anybody' };
const layered = async (env: Record<string, string>, { files = {}, writtenBy = 'operator' }: Places = {}) =>
  await withSettingsFiles(env, { home: '/home/me', directory: '/repo', writtenBy }, async (path) => {
    const text = files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(path), { code: path.endsWith('.env') ? 'EISDIR' : 'ENOENT' });
  });

const seen = async (env: Record<string, string>, files: Record<string, string>) => {
  const { variables } = await layered(env, { files });
  const settings = readSettings({ ...variables, PREFECT_API_URL: variables.PREFECT_API_URL || 'http://none' });
  return {
    url: settings.apiUrl,
    pool: settings.defaultWorkPoolName,
    namespace: settings.defaultDockerBuildNamespace,
    retries: settings.maxRetries,
    codes: settings.retryExtraCodes,
    headers: settings.customHeaders,
  };
};
const home = '/home/me/.prefect/profiles.toml';
/** What Prefect's own profile says where nobody has one. */
const bundled = { PREFECT_SERVER_EPHEMERAL_ENABLED: 'true' };
const none = { url: 'http://none', pool: undefined, namespace: undefined, retries: 5, codes: [], headers: {} };
const work = { ...none, url: 'http://profile/api', pool: 'profile-pool', retries: 7 };
const toml = {
  ...none,
  url: 'http://toml/api',
  pool: 'toml-pool',
  retries: 2,
  codes: [500, 504],
  headers: { 'x-team': 'data' },
};

/** Each line as `prefect.settings.get_current_settings()` of Prefect 3.8.8 answers it in the same place. */
describe('settings from files', () => {
  it.each<[string, Record<string, string>, Record<string, string>, object]>([
    ['no file', {}, {}, none],
    ['the active profile', {}, { [home]: PROFILES }, work],
    ['PREFECT_PROFILE', { PREFECT_PROFILE: 'other' }, { [home]: PROFILES }, { ...none, url: 'http://other/api' }],
    ['a profile that is not there', { PREFECT_PROFILE: 'none' }, { [home]: PROFILES }, none],
    ['an empty PREFECT_PROFILE', { PREFECT_PROFILE: '' }, { [home]: PROFILES }, work],
    ['names in lower case, which a profile does not know', { PREFECT_PROFILE: 'lower' }, { [home]: PROFILES }, none],
    [
      'texts as the environment has them',
      { PREFECT_PROFILE: 'headers' },
      { [home]: PROFILES },
      { ...none, headers: { a: 'b' }, codes: [500, 504] },
    ],
    ['PREFECT_HOME', { PREFECT_HOME: '/p' }, { '/p/profiles.toml': PROFILES }, work],
    ['PREFECT_PROFILES_PATH', { PREFECT_PROFILES_PATH: 'p.toml' }, { '/repo/p.toml': PROFILES, [home]: '' }, work],
    ['profiles_path', {}, { '/repo/prefect.toml': 'profiles_path = "p.toml"', '/repo/p.toml': PROFILES }, work],
    [
      'pyproject.toml',
      {},
      { '/repo/pyproject.toml': PYPROJECT },
      { ...none, pool: 'pyproject-pool', namespace: 'ns', retries: 3 },
    ],
    [
      'prefect.toml over pyproject.toml over the profile',
      {},
      { [home]: PROFILES, '/repo/prefect.toml': TOML, '/repo/pyproject.toml': PYPROJECT },
      { ...toml, namespace: 'ns' },
    ],
    [
      '.env over prefect.toml',
      {},
      { [home]: PROFILES, '/repo/prefect.toml': TOML, '/repo/.env': DOTENV },
      { ...toml, pool: 'dotenv-pool', retries: 4 },
    ],
    [
      'the environment over all',
      { PREFECT_CLIENT_MAX_RETRIES: '9', PREFECT_DEFAULT_WORK_POOL_NAME: 'env-pool' },
      { [home]: PROFILES, '/repo/prefect.toml': TOML, '/repo/.env': DOTENV },
      { ...toml, pool: 'env-pool', retries: 9 },
    ],
    [
      'of two names the longer one',
      { PREFECT_DEFAULT_WORK_POOL_NAME: 'b', PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME: 'a' },
      { '/repo/prefect.toml': TOML },
      { ...toml, pool: 'a' },
    ],
    ['a name in lower case', { prefect_client_max_retries: '8' }, { [home]: PROFILES }, { ...work, retries: 8 }],
  ])('%s', async (_name, env, files, expected) => {
    expect(await seen(env, files)).toEqual(expected);
  });

  it('are hidden by an empty variable, as a secret that does not exist arrives', async () => {
    const { variables } = await layered({ PREFECT_API_URL: '' }, { files: { [home]: PROFILES } });
    expect(() => readSettings(variables)).toThrow('no Prefect API URL is set');
  });

  it('leave every other variable as it is', async () => {
    const env = { https_proxy: 'http://p:1', HOME: '/home/me' };
    expect((await layered(env, { files: { '/repo/.env': DOTENV } })).variables).toMatchObject(env);
    expect((await layered(env, { files: { '/repo/.env': DOTENV } })).variables).not.toHaveProperty('OTHER');
  });

  it.each([
    ['no profile at all', {}, {}, 'true'],
    ['a profile that is not there', { PREFECT_PROFILE: 'x' }, { [home]: PROFILES }, 'true'],
    ['a profile', {}, { [home]: PROFILES }, undefined],
    ['profiles that are no TOML', {}, { [home]: 'a = "' }, undefined],
    ['no profile, and a file', {}, { '/repo/.env': 'PREFECT_SERVER_EPHEMERAL_ENABLED=false' }, 'false'],
  ])('say of the server in the process, with %s, what Prefect’s own profile does', async (_name, env, files, expected) => {
    expect((await layered(env, { files })).variables.PREFECT_SERVER_EPHEMERAL_ENABLED).toBe(expected);
  });

  it.each([
    ['a profile that is not there', { PREFECT_PROFILE: 'x' }, { [home]: PROFILES }, 'has no such profile'],
    ['no file for the profile asked for', { PREFECT_PROFILE: 'x' }, {}, 'there is no /home/me/.prefect/profiles.toml'],
    ['profiles that are no TOML', {}, { [home]: 'a = "pnu_hunter2' }, 'is not valid TOML (line 1, column'],
  ])('warn of %s', async (_name, env, files, warning) => {
    const { warnings } = await layered(env, { files });
    expect(warnings.join('\n')).toContain(warning);
    expect(warnings.join('\n')).not.toContain('hunter2');
  });

  it('that may not be read are an error that names them', async () => {
    const places = { home: '/home/me', directory: '/repo', writtenBy: 'operator' } as const;
    const reading = withSettingsFiles({}, places, async (path) => {
      throw Object.assign(new Error(path), { code: 'EACCES' });
    });
    await expect(reading).rejects.toThrow('/repo/pyproject.toml cannot be read (EACCES)');
  });

  it.each(['prefect.toml', 'pyproject.toml'])('refuse a %s that is no TOML, with its place', async (file) => {
    const reading = layered({}, { files: { [`/repo/${file}`]: 'a = 1\nb = "pnu_hunter2' } });
    await expect(reading).rejects.toThrow(`${file} is not valid TOML (line 2, column`);
    await expect(reading).rejects.not.toThrow('hunter2');
  });
});

describe('files of a checked-out branch', () => {
  const writtenBy = 'anybody';
  const secret = { PREFECT_API_KEY: 'pnu_1' };

  it('may choose the default work pool, namespace, retries and time limit', async () => {
    const files = { '/repo/prefect.toml': `${TOML}[server]\nx = 1\n`, '/repo/pyproject.toml': PYPROJECT };
    const { variables } = await layered(secret, { files, writtenBy });
    expect(variables).toEqual({
      ...secret,
      ...bundled,
      PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME: 'toml-pool',
      PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE: 'ns',
      PREFECT_CLIENT_MAX_RETRIES: '2',
      PREFECT_CLIENT_RETRY_EXTRA_CODES: '500,504',
    });
  });

  it.each([
    ['prefect.toml', '[api]\nurl = "http://evil/api"', 'PREFECT_API_URL'],
    ['prefect.toml', '[api]\nkey = "k"', 'PREFECT_API_KEY'],
    ['prefect.toml', '[api]\nauth_string = "a:b"', 'PREFECT_API_AUTH_STRING'],
    ['prefect.toml', '[api]\nssl_cert_file = "evil.pem"', 'PREFECT_API_SSL_CERT_FILE'],
    ['pyproject.toml', '[tool.prefect.api]\ntls_insecure_skip_verify = true', 'PREFECT_API_TLS_INSECURE_SKIP_VERIFY'],
    ['pyproject.toml', '[tool.prefect.client.custom_headers]\nAuthorization = "x"', 'PREFECT_CLIENT_CUSTOM_HEADERS'],
    ['prefect.toml', '[cloud]\napi_url = "http://evil"', 'PREFECT_CLOUD_API_URL'],
    ['prefect.toml', 'profiles_path = "evil.toml"', 'PREFECT_PROFILES_PATH'],
    ['prefect.toml', 'home = "evil"', 'PREFECT_HOME'],
    ['.env', 'PREFECT_API_URL=http://evil/api', 'PREFECT_API_URL'],
    ['.env', 'prefect_profiles_path=evil.toml', 'PREFECT_PROFILES_PATH'],
    ['.env', 'https_proxy=http://evil\nPREFECT_UI_URL=http://evil', 'PREFECT_UI_URL'],
  ])('may not: %s with %j', async (file, text, name) => {
    const evil = 'active = "x"\n[profiles.x]\nPREFECT_API_URL = "http://evil/api"\n';
    const files = { [`/repo/${file}`]: text, '/repo/evil.toml': evil, '/repo/evil/profiles.toml': evil };
    const { variables, warnings } = await layered({}, { files, writtenBy });
    expect(variables).toEqual(bundled);
    expect(warnings).toEqual([expect.stringContaining(`${file} sets ${name}, which does not count here`)]);
  });

  it('are not complained of where the environment wins anyway', async () => {
    const env = { PREFECT_API_URL: 'http://right/api' };
    const { variables, warnings } = await layered(env, {
      files: { '/repo/prefect.toml': '[api]\nurl = "x"' },
      writtenBy,
    });
    expect([variables, warnings]).toEqual([{ ...env, ...bundled }, []]);
  });

  it('leave the runner’s own profile in force', async () => {
    const files = { [home]: PROFILES, '/repo/prefect.toml': '[api]\nurl = "http://evil/api"' };
    expect((await layered({}, { files, writtenBy })).variables.PREFECT_API_URL).toBe('http://profile/api');
  });
});

import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError, uiLink } from './index.ts';

const URL = 'http://127.0.0.1:4200/api';
const CLOUD = 'https://api.prefect.cloud/api/accounts/a/workspaces/w';

function refusal(env: Record<string, string>): SettingsError {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('settings of the Prefect client', () => {
  it.each([
    ['a key', { PREFECT_API_KEY: 'pnu_1' }, 'Bearer pnu_1'],
    [
      'an auth string, which wins over a key',
      { PREFECT_API_KEY: 'k', PREFECT_API_AUTH_STRING: 'admin:pass' },
      'Basic YWRtaW46cGFzcw==',
    ],
    ['an empty key, which counts as none', { PREFECT_API_KEY: '' }, undefined],
    ['a name in lower case', { prefect_api_key: 'pnu_2' }, 'Bearer pnu_2'],
  ])('read %s', (_name, env, authorization) => {
    expect(readSettings({ PREFECT_API_URL: URL, ...env }).authorization).toBe(authorization);
  });

  it('cut a slash at the end of the URL', () => {
    expect(readSettings({ PREFECT_API_URL: `${URL}/` }).apiUrl).toBe(URL);
  });

  it('know Prefect Cloud by its URL', () => {
    expect(readSettings({ PREFECT_API_URL: CLOUD }).cloud).toBe(true);
    expect(readSettings({ PREFECT_API_URL: URL }).cloud).toBe(false);
  });

  it.each([
    ['none', {}, 'no Prefect API URL is set'],
    ['an empty one, as a missing secret gives', { PREFECT_API_URL: '' }, 'no Prefect API URL is set'],
    ['no URL', { PREFECT_API_URL: 'prefect' }, 'is not a URL'],
    ['another protocol', { PREFECT_API_URL: 'ftp://host/api' }, 'begins with ftp:'],
    ['credentials in it', { PREFECT_API_URL: 'https://u:hunter2@host/api' }, 'carries a user name or password'],
    [
      'the web interface',
      { PREFECT_API_URL: 'https://app.prefect.cloud/account/a' },
      'is the address of the web interface',
    ],
    [
      'Cloud without a workspace',
      { PREFECT_API_URL: 'https://api.prefect.cloud/api' },
      'without an account and workspace',
    ],
  ])('refuse an API URL that is %s', (_name, env, message) => {
    const error = refusal(env);
    expect(error.message).toContain(message);
    expect(error.remedy).not.toBe('');
    expect(`${error.message} ${error.remedy}`).not.toContain('hunter2');
  });

  it.each([
    ['PREFECT_CLIENT_MAX_RETRIES', 'many'],
    ['PREFECT_CLIENT_MAX_RETRIES', '2.5'],
    ['PREFECT_API_ENABLE_HTTP2', 'maybe'],
    ['PREFECT_CLIENT_CUSTOM_HEADERS', '{"a b": "c"}'],
    ['PREFECT_CLIENT_CUSTOM_HEADERS', '{"a": "c\\nd: e"}'],
    ['HTTP_PROXY', 'socks5://p:1080'],
    ['ALL_PROXY', 'http://['],
    ['PREFECT_API_REQUEST_TIMEOUT', '-1'],
    ['PREFECT_CLIENT_CSRF_SUPPORT_ENABLED', 'perhaps'],
    ['PREFECT_CLIENT_RETRY_EXTRA_CODES', '500,none'],
    ['PREFECT_CLIENT_CUSTOM_HEADERS', '["a"]'],
  ])('name %s when it is wrong', (setting, value) => {
    expect(refusal({ PREFECT_API_URL: URL, [setting]: value }).setting).toBe(setting);
  });

  it('refuse a key that no header can carry without showing it', () => {
    const error = refusal({ PREFECT_API_URL: URL, PREFECT_API_KEY: 'pnu_\nsecret' });
    expect(error.message).not.toContain('secret');
  });

  it('leave out custom headers that the client owns', () => {
    const headers = JSON.stringify({ 'User-Agent': 'x', 'X-Team': 'data', 'Prefect-Csrf-Token': 't' });
    expect(readSettings({ PREFECT_API_URL: URL, PREFECT_CLIENT_CUSTOM_HEADERS: headers }).customHeaders).toEqual({
      'x-team': 'data',
    });
  });

  it('list everything that must not be shown', () => {
    const { secrets } = readSettings({
      PREFECT_API_URL: URL,
      PREFECT_API_KEY: 'key1',
      PREFECT_API_AUTH_STRING: 'u:p:q',
    });
    expect(secrets).toEqual(['dTpwOnE=', 'u:p:q', 'key1', 'p:q']);
  });
});

describe('the address of the web interface', () => {
  it.each([
    [URL, 'http://127.0.0.1:4200'],
    [CLOUD, 'https://app.prefect.cloud/account/a/workspace/w'],
    ['https://api.foo.bar', 'https://api.foo.bar'],
  ])('for %s is %s', (apiUrl, uiUrl) => {
    expect(readSettings({ PREFECT_API_URL: apiUrl }).uiUrl).toBe(uiUrl);
  });

  it('is PREFECT_UI_URL when that is set', () => {
    expect(readSettings({ PREFECT_API_URL: URL, PREFECT_UI_URL: 'https://ui' }).uiUrl).toBe('https://ui');
  });

  it.each([
    [{ kind: 'deployment', id: '1' }, 'http://ui/deployments/deployment/1'],
    [{ kind: 'flow-run', id: '1' }, 'http://ui/runs/flow-run/1'],
    [{ kind: 'work-pool', name: 'a pool' }, 'http://ui/work-pools/work-pool/a%20pool'],
  ] as const)('links %o', (object, link) => {
    expect(uiLink('http://ui', object)).toBe(link);
  });
});

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PlainRequest, PlainResponse } from './plain-messages.ts';

const URL = 'http://127.0.0.1/api/x';

describe('a plain request', () => {
  it('gives its text, method, headers and the very signal it was made with', async () => {
    const { signal } = new AbortController();
    const request = new PlainRequest(URL, { method: 'POST', body: '{"a":1}', headers: { 'x-a': 'b' }, signal });
    expect([request.url, request.method, request.headers.get('x-a')]).toEqual([URL, 'POST', 'b']);
    expect(await request.text()).toBe('{"a":1}');
    expect(request.signal).toBe(signal);
  });

  it('leaves nothing on a signal that lives long', () => {
    const { signal } = new AbortController();
    for (let index = 0; index < 100; index += 1) new PlainRequest(URL, { method: 'POST', body: 'x', signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('has no text and a signal of its own when none were given', async () => {
    const request = new PlainRequest(URL);
    expect(await request.text()).toBe('');
    expect(request.signal.aborted).toBe(false);
  });

  it('takes no body that would have to be read', () => {
    expect(() => new PlainRequest(URL, { method: 'POST', body: new Uint8Array(2) })).toThrow(TypeError);
  });
});

describe('a plain answer', () => {
  it('gives status, headers and its text', async () => {
    const answer = new PlainResponse('["x"]', { status: 201, headers: { date: 'today' } });
    expect([answer.status, answer.ok, answer.headers.get('date')]).toEqual([201, true, 'today']);
    expect(await answer.text()).toBe('["x"]');
    expect(await answer.json()).toEqual(['x']);
  });
});

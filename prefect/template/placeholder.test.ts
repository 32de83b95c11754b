import { describe, expect, it } from 'vitest';
import { findPlaceholders, unresolved } from './placeholder.ts';

describe('findPlaceholders', () => {
  it.each([
    ['{{ a.b-c[0] }}', 'a.b-c[0]', 'standard'],
    ['{{$HOME}}', '$HOME', 'env'],
    ['{{ prefect.blocks.secret.key.value }}', 'prefect.blocks.secret.key.value', 'block'],
    ['{{\n\tprefect.variables.region\n}}', 'prefect.variables.region', 'variable'],
    ['{{ prefect.flow }}', 'prefect.flow', 'standard'],
    ['{{ ctx.flow_run.name }}', 'ctx.flow_run.name', 'standard'],
  ])('reads %j as %s, %s', (text, name, kind) => {
    expect(findPlaceholders(text)).toEqual([{ fullMatch: text, name, kind }]);
  });

  it.each([
    '{{ a b }}',
    '{{ a|upper }}',
    "{{ 'a' }}",
    '{{}}',
    '{ { a } }',
    '{% if a %}',
    '{{ a',
    '{{ a( ) }}',
  ])('takes %j as plain text', (text) => {
    expect(findPlaceholders(text)).toEqual([]);
  });

  it('gives repeated placeholders each time, in order', () => {
    expect(findPlaceholders('{{ b }}{{a}} {{ b }}').map(({ name }) => name)).toEqual(['b', 'a', 'b']);
  });
});

describe('unresolved', () => {
  it('names standard placeholders once each, wherever they are, and no keys', () => {
    const template = {
      image: '{{ build.image }}:{{ build.tag }}',
      '{{ key }}': ['{{ build.tag }}', { deep: '{{ ctx.flow.name }}' }, 1, null],
      others: '{{ $HOME }} {{ prefect.blocks.a.b }} {{ prefect.variables.c }}',
    };
    expect(unresolved(template)).toEqual(['build.image', 'build.tag', 'ctx.flow.name']);
  });
});

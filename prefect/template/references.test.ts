import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { type ReferenceReaders, resolveReferences, TemplateError } from './references.ts';

function fixture(file: string): JsonObject {
  const content = parseJson(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8'));
  if (!isJsonObject(content)) throw new Error(`${file} is no mapping`);
  return content;
}

function listOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

const world = fixture('references-world.json');

/** Readers over the blocks and variables that the goldens were made with; `reads` records every request. */
function readers() {
  const reads: string[] = [];
  const all: ReferenceReaders = {
    async readBlockDocument(typeSlug, name) {
      reads.push(`${typeSlug}/${name}`);
      const found = listOf(world.blocks).find((block) => block.typeSlug === typeSlug && block.name === name);
      return isJsonObject(found?.data) ? found.data : undefined;
    },
    async readBlockDocumentById(id) {
      reads.push(id);
      const found = isJsonObject(world.blocksById) ? world.blocksById[id] : undefined;
      return isJsonObject(found) ? found : undefined;
    },
    async readVariable(name) {
      reads.push(name);
      return isJsonObject(world.variables) ? world.variables[name] : undefined;
    },
  };
  return { all, reads };
}

const goldens = listOf(fixture('references-cases.json').cases).map((item) => ({
  ...item,
  template: item.template ?? null,
  label: JSON.stringify(item.template),
}));

describe('resolveReferences, as prefect 3.8.8 resolves', () => {
  it.each(goldens.filter((golden) => !('error' in golden)))('$label', async ({ template, ...golden }) => {
    const { all, reads } = readers();
    expect(await resolveReferences(template, all)).toEqual('value' in golden ? golden.value : undefined);
    expect(reads).toEqual('reads' in golden ? golden.reads : undefined);
  });

  it.each(goldens.filter((golden) => 'error' in golden))('refuses $label', async ({ template }) => {
    await expect(resolveReferences(template, readers().all)).rejects.toThrow(TemplateError);
  });
});

describe('resolveReferences, errors', () => {
  it.each<[Json, string, RegExp]>([
    ['{{ prefect.blocks.secret.missing }}', 'block-not-found', /no block "missing" of type "secret".*Create it/],
    [{ $ref: { block_document_id: 'gone' } }, 'block-not-found', /no block document with the id gone/],
    ['{{ prefect.blocks.secret.token.nope }}', 'block-path-not-found', /has nothing at "nope"/],
    ['{{ prefect.blocks.secret }}', 'malformed-block-name', /Write \{\{ prefect\.blocks\.<block type slug>/],
    ['{{ prefect.blocks.secret. }}', 'malformed-block-name', /does not name a block/],
    ['x{{ prefect.blocks.cluster.one }}', 'structure-inside-text', /is a mapping and stands inside a longer text/],
    ['x{{ prefect.blocks.json.structure.list }}', 'structure-inside-text', /is a list and stands/],
    [{ $ref: '11209c72-595d-4a3d-987d-c5453af435b9' }, 'malformed-ref', /Write \{"\$ref": \{"block_document_id"/],
    [{ $ref: { block_document_id: 5 } }, 'malformed-ref', /must be a mapping that names a block document/],
  ])('%j: %s', async (template, reason, message) => {
    const error: unknown = await resolveReferences(template, readers().all).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TemplateError', reason, message: expect.stringMatching(message) });
  });

  it('lets a reader’s own failure through', async () => {
    const broken = { ...readers().all, readVariable: () => Promise.reject(new Error('no connection')) };
    await expect(resolveReferences('{{ prefect.variables.text }}', broken)).rejects.toThrow('no connection');
  });
});

describe('resolveReferences, what is read and told', () => {
  it('reads each document and variable once in one call', async () => {
    const { all, reads } = readers();
    const twice = [
      '{{ prefect.blocks.secret.token }}',
      '{{ prefect.variables.text }}',
      { $ref: { block_document_id: 'id-of-one' } },
    ];
    await resolveReferences([...twice, ...twice], all);
    expect(reads).toEqual(['secret/token', 'id-of-one', 'text']);
  });

  it('tells of every text that comes out of a block, and of nothing else', async () => {
    const secrets: string[] = [];
    await resolveReferences(
      {
        token: 'Bearer {{ prefect.blocks.secret.token }}',
        one: { $ref: { block_document_id: 'id-of-one' } },
        number: '{{ prefect.blocks.json.number }}',
        variable: '{{ prefect.variables.text }}',
      },
      readers().all,
      { onSecret: (text) => secrets.push(text) },
    );
    expect(secrets).toEqual(['s3cr3t', 'c', 'ctx', '{{ prefect.variables.text }}']);
  });

  it('does not change the template', async () => {
    const template = { a: ['{{ prefect.variables.text }}'] };
    await resolveReferences(template, readers().all);
    expect(template).toEqual({ a: ['{{ prefect.variables.text }}'] });
  });
});

import * as z from 'zod';
import type { Json } from '../json.ts';
import { answerOf, jsonObject, type PrefectApi, unlessMissing } from './api.ts';

const BlockDocument = z.object({ id: z.string(), data: jsonObject });
const Variable = z.object({ name: z.string(), value: z.custom<Json>((value) => value !== undefined) });

/**
 * Readers of what templates refer to (contracts/deploy.md §1.10), for resolveReferences of @slipway/prefect/template:
 * a block document's data with its secrets, a variable's value; undefined when there is no such thing.
 */
export function referenceReaders(api: PrefectApi, signal: AbortSignal) {
  const query = { include_secrets: true };
  return {
    async readBlockDocument(slug: string, name: string) {
      const answer = await unlessMissing(
        api.client.GET('/block_types/slug/{slug}/block_documents/name/{block_document_name}', {
          params: { path: { slug, block_document_name: name }, query },
          parseAs: 'text',
          signal,
        }),
      );
      return answer && answerOf(BlockDocument, answer, 'read block document').data;
    },
    async readBlockDocumentById(id: string) {
      const answer = await unlessMissing(
        api.client.GET('/block_documents/{id}', { params: { path: { id }, query }, parseAs: 'text', signal }),
      );
      return answer && answerOf(BlockDocument, answer, 'read block document').data;
    },
    async readVariable(name: string) {
      const answer = await unlessMissing(
        api.client.GET('/variables/name/{name}', { params: { path: { name } }, parseAs: 'text', signal }),
      );
      return answer && answerOf(Variable, answer, 'read variable').value;
    },
  };
}

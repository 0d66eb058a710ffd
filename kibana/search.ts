import { TIME_FIELD } from './panel.ts';
import { type SavedObject, savedObject } from './saved-object.ts';

export type SearchOptions = {
  id: string;
  title: string;
  about: string;
  columns: string[];
  /** The id of its data view. */
  dataView: string;
};

const INDEX = 'kibanaSavedObjectMeta.searchSourceJSON.index';

/** A table of documents in Discover, the latest first. */
export function createSearch({ id, title, about, columns, dataView }: SearchOptions): SavedObject {
  return savedObject({
    type: 'search',
    id,
    attributes: {
      title,
      description: about,
      columns,
      sort: [[TIME_FIELD, 'desc']],
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({
          query: { query: '', language: 'kuery' },
          filter: [],
          indexRefName: INDEX,
        }),
      },
    },
    references: [{ type: 'index-pattern', id: dataView, name: INDEX }],
  });
}

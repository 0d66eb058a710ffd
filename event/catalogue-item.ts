/** What the catalogue of the shop says about an item. All of it is text of the shop: shown as text, never as markup. */
export type CatalogueItem = {
  name?: string;
  category?: string;
  /** As in the file: `19.99` or `19.99 EUR`. */
  price?: string;
  stock?: number;
  /** An https URL of a host in `catalogue.image_hosts`. */
  image?: string;
};

/** Undefined for an item that is in no catalogue, and as long as there is none. */
export type CatalogueLookup = (item: string) => CatalogueItem | undefined;

import { forAll } from "./forAll";
import { faultOf } from "./manifests";
import { Image, Registry } from "./registry";

interface Row {
  repository: string;
  tag: string;
  /** The image that the tag stands for, or why that can't be read. */
  image: Image | string;
}

/** The table of all tags of these repositories, or of all repositories; it is thrown as an error if a requested one has none. */
export async function list(registry: Registry, repositories: readonly string[]): Promise<string> {
  const lists: Row[][] = [];
  const missing: string[] = [];
  for (const repository of repositories.length > 0 ? repositories : await registry.repositories()) {
    const rows = await rowsOf(registry, repository);
    if (rows.length === 0 && repositories.length > 0) {
      missing.push(`There is no tag in ${repository}.`);
    }
    lists.push(rows);
  }
  const rows = lists.flat();
  if (missing.length > 0) {
    throw new Error([...(rows.length > 0 ? [table(rows)] : []), ...missing].join("\n"));
  }
  return rows.length === 0 ? "There are no images." : table(rows);
}

async function rowsOf(registry: Registry, repository: string): Promise<Row[]> {
  const tags = await registry.tags(repository);
  const rows = await forAll(tags, async (tag) => ({
    repository,
    tag,
    image: await registry.image(repository, tag).catch(faultOf),
  }));
  if (rows.every(({ image }) => typeof image !== "string")) {
    return rows;
  }
  // Others may delete tags while this reads: a tag that is gone is not broken.
  const still = new Set(await registry.tags(repository));
  return rows.filter(({ tag, image }) => typeof image !== "string" || still.has(tag));
}

function table(rows: readonly Row[]): string {
  const cells = [
    ["REPOSITORY", "TAG", "DIGEST", "SIZE", "CREATED"],
    ...rows.map(({ repository, tag, image }) =>
      typeof image === "string"
        ? [repository, tag, `broken: ${printable(image)}`]
        : [repository, tag, image.digest, sizeOf(image), image.created.slice(0, 10), lack(image)],
    ),
  ];
  const widths = cells[0]?.map((_, column) => cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0)) ?? [];
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The size of an image; for one with more parts than are looked at, the least that it can be. */
const sizeOf = ({ size, more }: Image): string => `${more ? ">" : ""}${readableSize(size)}`;

/** The images that an index has lost, or never had. */
const lack = ({ missing }: Image): string => (missing === 0 ? "" : `${missing} of its images missing`);

/** Words of the registry, without what would move a terminal's cursor. */
const printable = (text: string): string => text.replace(/\p{C}/gu, "\ufffd");

/** As Docker writes sizes: three digits, in powers of 1000. */
export function readableSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))}${units[power] ?? ""}`;
}

import { Image, Registry } from "./registry";

interface Row extends Image {
  repository: string;
  tag: string;
}

/** The table of all tags of these repositories, or of all. */
export async function list(registry: Registry, repositories: readonly string[]): Promise<string> {
  const rows: Row[] = [];
  for (const repository of repositories.length > 0 ? repositories : await registry.repositories()) {
    const tags = await registry.tags(repository);
    const images = await Promise.all(tags.map((tag) => registry.image(repository, tag)));
    rows.push(...images.map((image, index) => ({ repository, tag: tags[index] ?? "", ...image })));
  }
  return rows.length === 0 ? "There are no images." : table(rows);
}

function table(rows: readonly Row[]): string {
  const cells = [
    ["REPOSITORY", "TAG", "DIGEST", "SIZE", "CREATED"],
    ...rows.map(({ repository, tag, digest, size, created }) => [
      repository,
      tag,
      digest,
      readableSize(size),
      created.slice(0, 10),
    ]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** As Docker writes sizes: three digits, in powers of 1000. */
export function readableSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))}${units[power] ?? ""}`;
}

import { buffer } from "stream/consumers";

/** A file of an archive. */
export interface TarFile {
  name: string;
  content: string;
  mode: number;
}

/** An archive of files that belong to root. */
export async function tarOf(files: TarFile[]): Promise<Buffer> {
  const { pack } = await import("tar-stream");
  const archive = pack();
  for (const { name, content, mode } of files) {
    archive.entry({ name, mode }, content);
  }
  archive.finalize();
  return buffer(archive);
}

import { Problem, shown } from "./problems";
import { when } from "./rules";

/** `[host[:port]/]path[:tag]@sha256:…`, see https://pkg.go.dev/github.com/distribution/reference. */
const pinnedImage =
  /^(?:[A-Za-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?@sha256:[0-9a-f]{64}$/;

/** What is wrong with the reference of somebody else's image. */
export function pinnedImageProblems(key: string, image: string): Problem[] {
  return when(
    !pinnedImage.test(image),
    key,
    `${shown(image)} is not allowed; use a reference pinned by digest: name@sha256:<64 hex digits>`,
  );
}

/** The server's image. */
export function imageProblems(image: string): Problem[] {
  return when(
    image !== "bundled" && !pinnedImage.test(image),
    "image",
    `${shown(image)} is not allowed; use bundled, or a reference pinned by digest: name@sha256:<64 hex digits>`,
  );
}

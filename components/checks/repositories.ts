import { Problem } from "./problems";
import { lists, texts } from "./rules";

const part = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";

/** A repository's name (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests). */
export const repositoryName = new RegExp(`^${part}(/${part})*$`);

/** A repository's name, or a prefix of several that ends with `/*`. */
export const repositoryOrPrefix = new RegExp(`^${part}(/${part})*(/\\*)?$`);

/** A repository's name, a prefix, or `*` for all. */
const repositoryPattern = new RegExp(`^(\\*|${part}(/${part})*(/\\*)?)$`);

/**
 * Where a repository is: `host[:port]/name`. Docker takes the first part for a host only if it has a dot or a port, or is `localhost`;
 * it looks for `team/registry` on Docker Hub, so that has to be written `docker.io/team/registry`.
 */
export const repositoryAddress = new RegExp(`^(?=[^/]*[.:]|localhost/)[A-Za-z0-9.-]+(:\\d+)?(/${part})+$`);

/** What goes before an image's name: a registry's `host[:port]`, a path in it, or both. */
const prefix = new RegExp(`^(([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:]+\\])(:\\d+)?|${part})(/${part})*$`);

export function repositoryPrefixProblems(repositoryPrefix: string | undefined): Problem[] {
  return texts(
    "",
    { repositoryPrefix },
    prefix,
    "what goes before an image's name, as localhost:5000 or registry.example.com/team",
  );
}

/** What is wrong with a list of repositories: it is left out, or names some. */
export function repositoriesProblems(key: string, patterns: readonly string[] | undefined): Problem[] {
  if (patterns?.length === 0) {
    return [{ key, message: "is empty; name repositories, or leave it out for all" }];
  }
  return lists("", { [key]: patterns }, repositoryPattern, "a repository such as team-a/app, a prefix such as team-a/*, or *");
}

/** Whether a pattern (`team-a/app`, `team-a/*`, `*`) names a repository, or all repositories that another pattern names. */
export function names(pattern: string, repository: string): boolean {
  return pattern === "*" || pattern === repository || (pattern.endsWith("/*") && repository.startsWith(pattern.slice(0, -1)));
}

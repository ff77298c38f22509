import { Problem, shown } from "./problems";

/** A repository's name by the distribution specification, or a prefix of it that ends with `*`. */
const repositoryPattern = /^(\*|[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(\/\*)?)$/;

/** What is wrong with a list of repositories that is not given or names some. */
export function repositoriesProblems(key: string, patterns: readonly string[] | undefined): Problem[] {
  if (patterns?.length === 0) {
    return [{ key, message: "is empty; name repositories, or leave it out for all" }];
  }
  return (patterns ?? []).flatMap((pattern, index) =>
    repositoryPattern.test(pattern)
      ? []
      : [
          {
            key: `${key}[${index}]`,
            message: `${shown(pattern)} is not allowed; give a repository such as team-a/app, a prefix such as team-a/*, or *`,
          },
        ],
  );
}

/** Whether a pattern (`team-a/app`, `team-a/*`, `*`) names a repository, or all repositories that another pattern names. */
export function names(pattern: string, repository: string): boolean {
  return pattern === "*" || pattern === repository || (pattern.endsWith("/*") && repository.startsWith(pattern.slice(0, -1)));
}

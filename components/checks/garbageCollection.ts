import { GarbageCollection, RetentionRule } from "../args/registry";
import { cronProblem } from "./cron";
import { mostDays, unlimited, wholeNumbers } from "./numbers";
import { Problem, shown } from "./problems";
import { repositoriesProblems } from "./repositories";

/** A tag by the distribution specification, with `*` for any letters. */
const tagPattern = /^[A-Za-z0-9_*][A-Za-z0-9._*-]{0,127}$/;

/** All that is wrong with when and what to collect. */
export function garbageCollectionProblems(collection: GarbageCollection | undefined, image: string): Problem[] {
  if (collection === undefined) {
    return [];
  }
  if (image !== "bundled") {
    return [
      {
        key: "garbageCollection",
        message:
          "is a feature of the bundled server; the stock registry's own collection deletes what is pushed meanwhile. Use image bundled",
      },
    ];
  }
  const { schedule, timeZone, retention, alwaysKeepTags } = collection;
  const wrong = schedule === undefined ? undefined : cronProblem(schedule);
  const problems: Problem[] = [];
  if (wrong !== undefined) {
    problems.push({ key: "garbageCollection.schedule", message: `${shown(schedule)} is not allowed; ${wrong}` });
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    problems.push({
      key: "garbageCollection.timeZone",
      message: `${shown(timeZone)} is not allowed; give a name of the IANA database, such as UTC or Europe/Berlin`,
    });
  }
  if (timeZone !== undefined && schedule === undefined) {
    problems.push({ key: "garbageCollection.timeZone", message: "needs garbageCollection.schedule" });
  }
  (retention ?? []).forEach((rule, index) => problems.push(...ruleProblems(`garbageCollection.retention[${index}]`, rule)));
  problems.push(...tagsProblems("garbageCollection.alwaysKeepTags", alwaysKeepTags));
  for (const key of ["alwaysKeepTags", "retentionDryRun"] as const) {
    if (collection[key] !== undefined && (retention ?? []).length === 0) {
      problems.push({
        key: `garbageCollection.${key}`,
        message: "needs garbageCollection.retention; without rules no tag is deleted",
      });
    }
  }
  return problems;
}

function ruleProblems(key: string, rule: RetentionRule): Problem[] {
  const { repositories, keepNewest, keepDays, keepTags } = rule;
  return [
    ...repositoriesProblems(`${key}.repositories`, repositories),
    ...wholeNumbers(`${key}.`, { keepNewest }, 1, unlimited),
    ...wholeNumbers(`${key}.`, { keepDays }, 1, mostDays),
    ...tagsProblems(`${key}.keepTags`, keepTags),
    ...(keepNewest === undefined && keepDays === undefined && keepTags === undefined
      ? [{ key, message: "would delete every tag; give keepNewest, keepDays or keepTags" }]
      : []),
  ];
}

function tagsProblems(key: string, patterns: readonly string[] | undefined): Problem[] {
  if (patterns?.length === 0) {
    return [{ key, message: "is empty; name tags, or leave it out" }];
  }
  return (patterns ?? []).flatMap((pattern, index) =>
    tagPattern.test(pattern)
      ? []
      : [{ key: `${key}[${index}]`, message: `${shown(pattern)} is not allowed; give a tag, with * for any letters` }],
  );
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    // Offsets such as +01:00 are no names.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

import { GarbageCollection, RetentionRule } from "../args/registry";
import { cronProblem } from "./garbageCollection/cron";
import { Problem, shown } from "./problems";
import { repositoriesProblems } from "./repositories";
import { lists, mostDays, unlimited, when, wholeNumbers } from "./rules";
import { timeZones } from "./garbageCollection/timeZones";

/** A tag by the distribution specification, with `*` for any letters. */
const tagPattern = /^[A-Za-z0-9_*][A-Za-z0-9._*-]{0,127}$/;

const at = "garbageCollection.";

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
  const { schedule, timeZone } = collection;
  const wrong = schedule === undefined ? undefined : cronProblem(schedule);
  return [
    ...when(wrong !== undefined, `${at}schedule`, `${shown(schedule)} is not allowed; ${wrong}`),
    ...(timeZone === undefined ? [] : zoneProblems(timeZone)),
    ...when(timeZone !== undefined && schedule === undefined, `${at}timeZone`, `needs ${at}schedule`),
    ...tagRetentionProblems(collection),
  ];
}

/** What is wrong with the rules for tags and the options beside them, wherever the registry is. */
export function tagRetentionProblems({ retention = [], alwaysKeepTags, retentionDryRun }: GarbageCollection): Problem[] {
  return [
    ...retention.flatMap((rule, index) => ruleProblems(`${at}retention[${index}]`, rule)),
    ...tagsProblems(`${at}alwaysKeepTags`, alwaysKeepTags),
    ...Object.entries({ alwaysKeepTags, retentionDryRun }).flatMap(([key, value]) =>
      when(value !== undefined && retention.length === 0, `${at}${key}`, `needs ${at}retention; without rules no tag is deleted`),
    ),
  ];
}

function ruleProblems(key: string, { repositories, keepNewest, keepDays, keepTags }: RetentionRule): Problem[] {
  return [
    ...repositoriesProblems(`${key}.repositories`, repositories),
    ...wholeNumbers(`${key}.`, { keepNewest }, 1, unlimited),
    ...wholeNumbers(`${key}.`, { keepDays }, 1, mostDays),
    ...tagsProblems(`${key}.keepTags`, keepTags),
    ...when(
      keepNewest === undefined && keepDays === undefined && keepTags === undefined,
      key,
      "would delete every tag; give keepNewest, keepDays or keepTags",
    ),
  ];
}

/** What is wrong with a list of tags to keep, if it is given: with an empty one, a rule that has nothing else would delete every tag. */
function tagsProblems(key: string, patterns: readonly string[] | undefined): Problem[] {
  return patterns?.length === 0
    ? [{ key, message: "is empty; name tags, or leave it out" }]
    : lists("", { [key]: patterns }, tagPattern, "a tag, with * for any letters");
}

function zoneProblems(name: string): Problem[] {
  const meant = [...timeZones].find((each) => each.toLowerCase() === name.toLowerCase());
  const remedy =
    meant === undefined
      ? "give a name of the IANA database, such as UTC or Europe/Berlin"
      : `give ${shown(meant)}, as capital letters count`;
  return when(meant !== name, `${at}timeZone`, `${shown(name)} is not allowed; ${remedy}`);
}

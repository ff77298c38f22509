import { GarbageCollection, RetentionRule } from "../args/registry";
import { cronProblem } from "./cron";
import { Problem, shown } from "./problems";
import { repositoriesProblems } from "./repositories";
import { lists, mostDays, unlimited, when, wholeNumbers } from "./rules";

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
  const { schedule, timeZone, retention = [], alwaysKeepTags, retentionDryRun } = collection;
  const wrong = schedule === undefined ? undefined : cronProblem(schedule);
  return [
    ...when(wrong !== undefined, `${at}schedule`, `${shown(schedule)} is not allowed; ${wrong}`),
    ...when(
      timeZone !== undefined && !isTimeZone(timeZone),
      `${at}timeZone`,
      `${shown(timeZone)} is not allowed; give a name of the IANA database, such as UTC or Europe/Berlin`,
    ),
    ...when(timeZone !== undefined && schedule === undefined, `${at}timeZone`, `needs ${at}schedule`),
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

function tagsProblems(key: string, patterns: readonly string[] | undefined): Problem[] {
  return patterns?.length === 0
    ? [{ key, message: "is empty; name tags, or leave it out" }]
    : lists("", { [key]: patterns }, tagPattern, "a tag, with * for any letters");
}

/** Offsets such as +01:00 are no names. The server tells capital letters from small ones, and Node.js does not. */
function isTimeZone(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    const isAlias = timeZone.toLowerCase() !== name.toLowerCase();
    return isAlias ? /^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(name) : name === timeZone;
  } catch {
    return false;
  }
}

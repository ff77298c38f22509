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

/** What is wrong with a list of tags to keep, where it is given: without any, a rule that has nothing else would delete every tag. */
export function tagsProblems(key: string, patterns: readonly string[] | undefined): Problem[] {
  return patterns?.length === 0
    ? [{ key, message: "is empty; name tags, or leave it out" }]
    : lists("", { [key]: patterns }, tagPattern, "a tag, with * for any letters");
}

/** Names of zones that Node.js has beside those of the IANA database. */
const notIana = new RegExp(
  "^(SystemV/.*|US/Pacific-New|Canada/East-Saskatchewan|A[CEGRS]T|B[ES]T|C[ANST]T|E[AC]T|I[ES]T|JST|MIT|N[ES]T|P[LNRS]T|[SV]ST)$",
);

/** Offsets such as +01:00 are no names. The server tells capital letters from small ones, and Node.js does not. */
function isTimeZone(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    const isAlias = timeZone.toLowerCase() !== name.toLowerCase();
    return !notIana.test(name) && (isAlias ? /^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(name) : name === timeZone);
  } catch {
    return false;
  }
}

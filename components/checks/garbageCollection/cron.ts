const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const days = "sun mon tue wed thu fri sat".split(" ");

/** The five fields: name, least and most, and words for the numbers from the least on. */
const fields: [name: string, least: number, most: number, words: string[]][] = [
  ["minute", 0, 59, []],
  ["hour", 0, 23, []],
  ["day of month", 1, 31, []],
  ["month", 1, 12, months],
  ["day of week", 0, 6, days],
];

/** What is wrong with a cron expression, as the bundled server reads it; nothing if it is right. */
export function cronProblem(expression: string): string | undefined {
  const given = expression.trim().split(/\s+/);
  if (given.length !== fields.length) {
    return "give five fields (minute, hour, day of month, month, day of week), such as 0 3 * * *";
  }
  const wrong = fields.find(([, least, most, words], index) => !isField(given[index] ?? "", least, most, words));
  if (wrong !== undefined) {
    const [name, least, most] = wrong;
    return `its ${name} is not right; give *, numbers from ${least} to ${most}, ranges (a-b), steps (*/n) or lists of them (a,b)`;
  }
  return isNever(given) ? "there is no such day in any year" : undefined;
}

function isField(text: string, least: number, most: number, words: string[]): boolean {
  return text.split(",").every((part) => {
    const [range, step, ...rest] = part.split("/");
    if (rest.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) {
      return false;
    }
    if (range === "*" || range === "?") {
      return true;
    }
    const ends = (range ?? "").split("-").map((end) => numberOf(end, least, words));
    return ends.length <= 2 && ends.every((end) => end >= least && end <= most) && (ends[0] ?? 0) <= (ends[1] ?? most);
  });
}

function numberOf(text: string, least: number, words: string[]): number {
  const word = words.indexOf(text.toLowerCase());
  return word >= 0 ? least + word : /^\d{1,4}$/.test(text) ? Number(text) : NaN;
}

/** Whether none of the months has the days of the month, as with 31 February. If days of the week are given too, either is enough. */
function isNever([, , days = "", inMonths = "", weekdays = ""]: string[]): boolean {
  const daysOf = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const most = Math.max(...numbersOf(inMonths, 1, 12, months).map((month) => daysOf[month - 1] ?? 0));
  return /(^|,)[*?](\/1)?(,|$)/.test(weekdays) && Math.min(...numbersOf(days, 1, 31, [])) > most;
}

/** The numbers that a field stands for. */
function numbersOf(text: string, least: number, most: number, words: string[]): number[] {
  return text.split(",").flatMap((part) => {
    const [range = "", step] = part.split("/");
    const ends = /^[*?]$/.test(range) ? [least, most] : range.split("-").map((end) => numberOf(end, least, words));
    const [first = least, last = step === undefined ? first : most] = ends;
    return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
      (each) => (each - first) % Number(step ?? 1) === 0,
    );
  });
}

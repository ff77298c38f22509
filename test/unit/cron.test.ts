import { cronProblem } from "../../components/checks/garbageCollection/cron";

it.each([
  "0 3 * * *",
  "*/15 0-6 1,15 * *",
  "0 3 * * mon-FRI",
  "59 23 31 dec 0",
  "5/10 * ? jan-mar,12 *",
  " 0  3 * * * ",
  "0 3 29 2 *",
  "0 3 30,29 2 *",
  "0 3 31 2-3 *",
  "0 3 31 2/2 *",
  "0 3 25/5 2 *",
  // Of two lists of days either is enough.
  "0 3 31 2 mon",
])("accepts %s", (expression) => {
  expect(cronProblem(expression)).toBeUndefined();
});

it.each([
  ["", /five fields/],
  ["0 3 * *", /five fields/],
  ["0 0 3 * * *", /five fields/],
  ["@daily", /five fields/],
  ["60 3 * * *", /^its minute/],
  ["0 24 * * *", /^its hour/],
  ["0 3 0 * *", /^its day of month/],
  ["0 3 * 13 *", /^its month/],
  ["0 3 * * 7", /^its day of week/],
  ["0 3 * * mon-", /^its day of week/],
  ["0 3 * * fri-mon", /^its day of week/],
  ["*/0 3 * * *", /^its minute/],
  ["1-2-3 3 * * *", /^its minute/],
  ["1/2/3 3 * * *", /^its minute/],
  ["0,,1 3 * * *", /^its minute/],
  ["-1 3 * * *", /^its minute/],
  ["0 3 31 4 *", /no such day/],
  ["0 3 30 feb *", /no such day/],
  ["0 3 30-31 2 *", /no such day/],
  ["0 3 30,31 2 ?", /no such day/],
  ["0 3 31 4,6,9 *", /no such day/],
  ["0 3 30/1 2 */1", /no such day/],
  ["0 3 31 feb-apr/2 mon,*", /no such day/],
])("refuses %s", (expression, reason) => {
  expect(cronProblem(expression)).toMatch(reason);
});

import { randomInt } from "crypto";
import { boolean, InputsOf, integer, map, string } from "../provider/types";

/** What RandomPassword and RandomString take. `number` is the old name of `numeric`, and an output only. */
export const characterInputs = {
  length: { type: integer, required: true, replaces: true },
  lower: { type: boolean, default: true, replaces: true },
  upper: { type: boolean, default: true, replaces: true },
  numeric: { type: boolean, default: true, replaces: true },
  special: { type: boolean, default: true, replaces: true },
  minLower: { type: integer, default: 0, replaces: true },
  minUpper: { type: integer, default: 0, replaces: true },
  minNumeric: { type: integer, default: 0, replaces: true },
  minSpecial: { type: integer, default: 0, replaces: true },
  overrideSpecial: { type: string, replaces: true },
  keepers: { type: map(string), replaces: true },
} as const;

type Choice = InputsOf<typeof characterInputs>;

/** The kinds of characters that are asked for. */
function kinds(choice: Choice): { characters: string; atLeast: number }[] {
  const all = [
    { wanted: choice.lower, characters: "abcdefghijklmnopqrstuvwxyz", atLeast: choice.minLower },
    { wanted: choice.upper, characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", atLeast: choice.minUpper },
    { wanted: choice.numeric, characters: "0123456789", atLeast: choice.minNumeric },
    { wanted: choice.special, characters: choice.overrideSpecial ?? "!@#$%&*()-_=+[]{}<>:?", atLeast: choice.minSpecial },
  ];
  return all.filter(({ wanted }) => wanted);
}

export function characterProblems(choice: Choice): string[] {
  const asked = kinds(choice);
  if (choice.length < 1) {
    return ["length must be at least 1"];
  }
  if (asked.every(({ characters }) => characters === "")) {
    return ["lower, upper, numeric and special are all false; no character is left"];
  }
  const least = asked.reduce((sum, { atLeast }) => sum + atLeast, 0);
  return least > choice.length
    ? [`length must be at least ${least}, the sum of minLower, minUpper, minNumeric and minSpecial`]
    : [];
}

const pick = (characters: string): string => characters[randomInt(characters.length)] ?? "";

/** A text of random characters, each as likely as any other. */
export function randomText(choice: Choice): string {
  const asked = kinds(choice);
  const required = asked.flatMap(({ characters, atLeast }) => Array.from({ length: atLeast }, () => pick(characters)));
  const any = asked.map(({ characters }) => characters).join("");
  const text = [...required, ...Array.from({ length: choice.length - required.length }, () => pick(any))];
  // The required ones come first; a fair shuffle hides where they are.
  for (let last = text.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [text[last], text[other]] = [text[other] ?? "", text[last] ?? ""];
  }
  return text.join("");
}

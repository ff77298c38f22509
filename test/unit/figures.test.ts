import { median, quantile } from "../../commands/compare/figures";

describe("figures of a comparison", () => {
  it.each([
    [[3, 1, 2], 2],
    [[1, 9], 5],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
    [[], NaN],
  ])("has of %j the median %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it("has the least, the most, and what is between them", () => {
    expect([0, 0.25, 0.95, 1].map((share) => quantile([50, 10, 20, 30, 40], share))).toEqual([10, 20, 48, 50]);
  });
});

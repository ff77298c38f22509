import * as fs from "fs";
import * as path from "path";
import { monitoring } from "../support/prometheus";

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

describe("the dashboard", () => {
  it("tells repositories of different registries apart, also where they have the same name", () => {
    const { panels } = JSON.parse(fs.readFileSync(path.join(monitoring, "dashboard.json"), "utf8")) as { panels: Panel[] };
    const labels = panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr }) => [...expr.matchAll(/\bby \(([^)]*\brepository\b[^)]*)\)/g)].map(([, by]) => [title, by])),
    );
    expect(labels).toEqual([
      ["Largest repositories", "job, repository"],
      ["Repositories with the most tags", "job, repository"],
      ["Pushed to last", "job, repository"],
    ]);
  });
});

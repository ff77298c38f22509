import { median, table } from "./figures";
import { Comparison, ImageKind, Row, Sample } from "./comparison";
import { allOffers, figuresOf, monthlyCost } from "./offers";
import { features } from "./features";

const MiB = 1 << 20;

/** A figure of a row, or a dash when nothing was measured. */
function cell(samples: readonly Sample[] | undefined, figure: (sample: Sample) => number, digits: number): string {
  return samples === undefined ? "–" : median(samples.map(figure)).toFixed(digits);
}

/** The columns of an image: their figures, and the number of digits. */
const columns: readonly [title: string, figure: (sample: Sample) => number, digits: number][] = [
  ["push s", ({ pushSeconds }) => pushSeconds, 2],
  ["pull s", ({ pullSeconds }) => pullSeconds, 2],
  ["push MiB/s", ({ bytes, pushSeconds }) => bytes / MiB / pushSeconds, 1],
  ["pull MiB/s", ({ bytes, pullSeconds }) => bytes / MiB / pullSeconds, 1],
  ["first byte ms", ({ firstBytes }) => median(firstBytes) * 1000, 1],
  ["requests", ({ pushRequests, pullRequests }) => pushRequests + pullRequests, 0],
];

/** The registries' speeds with one image. */
function speeds({ rows }: Comparison, kind: ImageKind): string {
  return table(
    ["Registry", ...columns.map(([title]) => title), "rounds"],
    rows.map(({ name, samples }) => [
      name,
      ...columns.map(([, figure, digits]) => cell(samples[kind.name], figure, digits)),
      String(samples[kind.name]?.length ?? 0),
    ]),
  );
}

/** Charts of the medians of push and of pull, which GitHub and many other sites draw; a registry without measurements has no bar. */
function charts({ rows }: Comparison, { name: kind }: ImageKind): string[] {
  const measured = rows.filter(({ samples }) => samples[kind] !== undefined);
  const chart = (what: string, figure: (sample: Sample) => number): string[] => [
    "",
    "```mermaid",
    "xychart-beta horizontal",
    `  title "Seconds to ${what}"`,
    `  x-axis [${measured.map(({ name }) => JSON.stringify(name.replace(/["\\`]/g, "'"))).join(", ")}]`,
    `  bar [${measured.map(({ samples }) => cell(samples[kind], figure, 2)).join(", ")}]`,
    "```",
  ];
  return measured.length === 0
    ? []
    : [...chart("push", ({ pushSeconds }) => pushSeconds), ...chart("pull", ({ pullSeconds }) => pullSeconds)];
}

function properties({ rows, usage }: Comparison): string {
  const dash = (text: string | undefined): string => (text === undefined || text === "" ? "–" : text);
  const cost = ({ offer: id }: Row): string => {
    const offer = allOffers.find((each) => each.id === id);
    return offer === undefined ? "–" : `${monthlyCost(offer, usage).toFixed(2)} (${offer.id})`;
  };
  return table(
    ["", ...rows.map(({ name }) => name)],
    [
      ["authentication", ...rows.map(({ authentication }) => dash(authentication))],
      ["encryption on the way", ...rows.map(({ encryption }) => dash(encryption))],
      ["blobs come", ...rows.map(({ storage }) => dash(storage))],
      ...features.map((feature) => [feature, ...rows.map(({ support }) => dash(support?.[feature]))]),
      ["USD a month", ...rows.map(cost)],
      ["error", ...rows.map(({ error }) => dash(error?.replace(/\|/g, "\\|").replace(/\s+/g, " ")))],
    ],
  );
}

function costs({ usage }: Comparison): string {
  return table(
    ["Offer", "USD a month", "base", "GB included", "USD per GB", "egress GB included", "USD per GB of egress"],
    allOffers.map((offer) => [
      offer.name,
      monthlyCost(offer, usage).toFixed(2),
      ...figuresOf(offer).map(([, { value, verified }]) => `${value}${verified ? "" : " (unverified)"}`),
    ]),
  );
}

function sources(): string[] {
  return allOffers.map(({ name, ...offer }) => {
    const seen = figuresOf({ name, ...offer }).map(([, { source, date }]) => `<${source}> (${date})`);
    return `- ${name}: ${[...new Set(seen)].join(", ")}`;
  });
}

export function title(kind: ImageKind): string {
  const size = kind.layerBytes >= MiB ? `${kind.layerBytes / MiB} MiB` : `${kind.layerBytes / 1024} KiB`;
  return `${kind.name}: ${kind.layers === 1 ? "1 layer" : `${kind.layers} layers`} of ${size}`;
}

/** What a person reads in the terminal: the speeds and the properties. */
export function summary(comparison: Comparison): string {
  return [
    ...comparison.images.flatMap((kind) => ["", title(kind), "", speeds(comparison, kind)]),
    "",
    properties(comparison),
  ].join("\n");
}

/** The whole report. */
export function markdown(comparison: Comparison): string {
  const { date, rounds, usage, images } = comparison;
  return [
    "# Comparison of registries",
    "",
    `${date}, ${rounds} rounds in turn; medians. Seen from one client: most of a difference between hosted registries is the way to them.`,
    ...images.flatMap((kind) => ["", `## ${title(kind)}`, "", speeds(comparison, kind), ...charts(comparison, kind)]),
    "",
    "## Properties",
    "",
    properties(comparison),
    "",
    `## Cost of ${usage.storage} GB of images and ${usage.egress} GB of egress a month`,
    "",
    costs(comparison),
    "",
    "Without tax, support, requests and discounts. Sources, and when they were looked up:",
    "",
    ...sources(),
    "",
  ].join("\n");
}

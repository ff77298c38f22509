import { allOffers, figuresOf, monthlyCost, offerOf } from "../../commands/compare/offers";

describe("the price file", () => {
  it.each(allOffers.flatMap((offer) => figuresOf(offer).map(([name, figure]) => ({ what: `${offer.id} ${name}`, ...figure }))))(
    "says of $what when and where it was found",
    ({ value, date, source }) => {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(date).toMatch(/^20\d\d-\d\d-\d\d$/);
      expect(source).toMatch(/^https:\/\//);
    },
  );
});

describe("an offer", () => {
  it.each([
    ["123456789012.dkr.ecr.eu-central-1.amazonaws.com", "ecr"],
    ["team.azurecr.io", "acr"],
    ["europe-docker.pkg.dev", "artifact-registry"],
    ["eu.gcr.io", "artifact-registry"],
    ["registry-1.docker.io", "docker-hub"],
    ["ghcr.io", "ghcr"],
    ["notghcr.io", "self-hosted"],
    ["localhost", "self-hosted"],
  ])("of %s is %s", (host, id) => {
    expect(offerOf(host)?.id).toBe(id);
  });

  it("costs what is beyond the included amounts, on top of the base price", () => {
    const figure = (value: number): { value: number; date: string; source: string; verified: boolean } => ({
      ...{ value, date: "2026-01-01", source: "https://example.com", verified: true },
    });
    const offer = {
      ...{ id: "x", name: "x", hosts: [], monthly: figure(5), includedStorageGB: figure(10), storagePerGB: figure(0.1) },
      ...{ includedEgressGB: figure(100), egressPerGB: figure(0.09) },
    };
    expect(monthlyCost(offer, { storage: 0, egress: 0 })).toBe(5);
    expect(monthlyCost(offer, { storage: 10, egress: 100 })).toBe(5);
    expect(monthlyCost(offer, { storage: 30, egress: 200 })).toBeCloseTo(5 + 2 + 9);
  });
});

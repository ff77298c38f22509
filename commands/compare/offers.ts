import { offers } from "./prices.json";

/** A figure of the price file, with its source. */
export interface Figure {
  value: number;
  /** When the source was looked up. */
  date: string;
  source: string;
  /** The figure was seen in the source. */
  verified: boolean;
  note?: string;
}

/** What a registry costs per month, in USD. */
export interface Offer {
  id: string;
  name: string;
  /** Suffixes of its host names. */
  hosts: string[];
  monthly: Figure;
  includedStorageGB: Figure;
  storagePerGB: Figure;
  includedEgressGB: Figure;
  egressPerGB: Figure;
}

export const allOffers: readonly Offer[] = offers;

/** What somebody keeps and fetches in a month, in GB. */
export interface Usage {
  storage: number;
  egress: number;
}

/** The offer that a registry's host belongs to; the self-hosted one if it belongs to none. */
export function offerOf(host: string): Offer | undefined {
  return (
    allOffers.find(({ hosts }) => hosts.some((end) => host === end || host.endsWith(end.startsWith(".") ? end : `.${end}`))) ??
    allOffers.find(({ id }) => id === "self-hosted")
  );
}

/** Dollars per month. */
export function monthlyCost(offer: Offer, usage: Usage): number {
  const beyond = (used: number, included: Figure): number => Math.max(0, used - included.value);
  return (
    offer.monthly.value +
    beyond(usage.storage, offer.includedStorageGB) * offer.storagePerGB.value +
    beyond(usage.egress, offer.includedEgressGB) * offer.egressPerGB.value
  );
}

/** Every figure of an offer that counts in its price. */
export function figuresOf(offer: Offer): [name: string, figure: Figure][] {
  const { monthly, includedStorageGB, storagePerGB, includedEgressGB, egressPerGB } = offer;
  return Object.entries({ monthly, includedStorageGB, storagePerGB, includedEgressGB, egressPerGB });
}

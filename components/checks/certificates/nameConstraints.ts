import { CertificateFields, GeneralName } from "./der";

/** The first of a server's names that an authority above it may not vouch for (RFC 5280, 4.2.1.10), as decided by Go, and so by Docker. */
export function forbiddenName(
  { permitted, excluded }: Pick<CertificateFields, "permitted" | "excluded">,
  names: readonly GeneralName[],
): string | undefined {
  const forbidden = names.find((name) => {
    const allowed = permitted.filter(({ kind }) => kind === name.kind);
    return (
      name.kind !== "other" &&
      ((allowed.length > 0 && !allowed.some((each) => covers(each, name))) ||
        excluded.some((each) => each.kind === name.kind && (covers(each, name) || mayBe(name, each))))
    );
  });
  return forbidden && shown(forbidden);
}

function covers(constraint: GeneralName, { kind, content }: GeneralName): boolean {
  if (kind === "ip") {
    const { length } = content;
    const [network, mask] = [constraint.content.subarray(0, length), constraint.content.subarray(length)];
    return (
      mask.length === length && content.every((byte, at) => (byte & (mask[at] ?? 0)) === ((network[at] ?? 0) & (mask[at] ?? 0)))
    );
  }
  const [suffix, name] = [text(constraint), text({ kind, content })];
  // With a leading dot it covers only the names below.
  return suffix === "" || name === suffix || name.endsWith(suffix.startsWith(".") ? suffix : `.${suffix}`);
}

/** Whether a wildcard also stands for an excluded name, which is the one case that `covers` does not see. */
function mayBe(wildcard: GeneralName, excluded: GeneralName): boolean {
  const [first, ...parent] = text(wildcard).split(".");
  return wildcard.kind === "dns" && first === "*" && text(excluded).split(".").slice(1).join(".") === parent.join(".");
}

function text({ content }: GeneralName): string {
  return content.toString("latin1").toLowerCase();
}

function shown({ kind, content }: GeneralName): string {
  if (kind === "dns") {
    return content.toString("latin1");
  }
  return content.length === 4
    ? content.join(".")
    : (content.toString("hex").match(/.{4}/g) ?? []).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

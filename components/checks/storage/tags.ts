import { Problem, shown } from "../problems";
import { when } from "../rules";

/** What a cloud takes as the key and as the value of a tag. */
export interface TagRule {
  key: RegExp;
  value: RegExp;
  allowed: string;
}

export const awsTags: TagRule = {
  key: /^(?!aws:)[\p{L}\p{N} _.:/=+@-]{1,128}$/u,
  value: /^[\p{L}\p{N} _.:/=+@-]{0,256}$/u,
  allowed: 'letters, digits, spaces and _.:/=+-@ (128 in the name, 256 in the value, no "aws:" first)',
};

/** https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations */
function azureTagsOf(longestName: number): TagRule {
  return {
    key: new RegExp(`^[^<>%&\\\\?/]{1,${longestName}}$`),
    value: /^.{0,256}$/,
    allowed: `${longestName} letters in the name without <>%&\\?/, 256 in the value`,
  };
}

export const azureTags = azureTagsOf(512);
export const azureStorageTags = azureTagsOf(128);

/** Labels: https://cloud.google.com/resource-manager/docs/labels-overview */
export const googleTags: TagRule = {
  key: /^[a-z][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u,
  value: /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u,
  allowed: "small letters, digits, _ and - (63 in name and value, a letter first)",
};

/** What is wrong with tags by the rule of their cloud. */
export function tagProblems(key: string, tags: Readonly<Record<string, string>> | undefined, rule: TagRule): Problem[] {
  return Object.entries(tags ?? {}).flatMap(([name, value]) =>
    when(
      !(rule.key.test(name) && rule.value.test(value)),
      `${key}.${name}`,
      `${shown(value)} is not allowed; use ${rule.allowed}`,
    ),
  );
}

import { resource } from "../provider/resource";
import { boolean, string } from "../provider/types";
import { characterInputs, characterProblems, randomText } from "./characters";

export const randomString = resource({
  type: "random:index/randomString:RandomString",
  inputs: characterInputs,
  outputs: {
    id: { type: string },
    number: { type: boolean },
    result: { type: string },
  },
  meta: { schema_version: "2" },
  problems: characterProblems,
  create: (inputs) => {
    const result = randomText(inputs);
    return Promise.resolve({ id: result, outputs: { id: result, number: inputs.numeric, result } });
  },
});

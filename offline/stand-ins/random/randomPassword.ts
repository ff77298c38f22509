import * as bcrypt from "bcryptjs";
import { resource } from "../provider/resource";
import { boolean, string } from "../provider/types";
import { characterInputs, characterProblems, randomText } from "./characters";

/** The official provider's; each step doubles the time a guess takes. */
const cost = 10;
/** bcrypt reads no more than this. */
const hashedCharacters = 72;

export const randomPassword = resource({
  type: "random:index/randomPassword:RandomPassword",
  inputs: characterInputs,
  outputs: {
    bcryptHash: { type: string, secret: true },
    id: { type: string },
    number: { type: boolean },
    result: { type: string, secret: true },
  },
  meta: { schema_version: "3" },
  problems: characterProblems,
  create: async (inputs) => {
    const result = randomText(inputs);
    const bcryptHash = await bcrypt.hash(result.slice(0, hashedCharacters), cost);
    return { id: "none", outputs: { bcryptHash, id: "none", number: inputs.numeric, result } };
  },
});

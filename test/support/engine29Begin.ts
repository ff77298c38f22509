import { startEngine29 } from "./engine29";

/** Jest's global set-up of the project `integration-29`: one engine for all of its files. */
export default startEngine29;

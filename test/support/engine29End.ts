import { stopEngine29 } from "./engine29";

/** Jest's global teardown of the project `integration-29`. */
export default stopEngine29;

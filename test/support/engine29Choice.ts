import { engine29Variable } from "./engine29";

// Docker's and Pulumi's commands go by it.
process.env.DOCKER_HOST = process.env[engine29Variable];

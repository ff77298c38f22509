import { engine29Programs, engine29Variable } from "./engine29";

// Docker's and Pulumi's commands go by the one, engines that a test starts by the other.
process.env.DOCKER_HOST = process.env[engine29Variable];
process.env.PATH = `${engine29Programs}:${process.env.PATH ?? ""}`;

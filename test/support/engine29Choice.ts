import { engine29Programs, engine29Variable } from "./engine29";

// Docker's and Pulumi's commands use the first variable, engines that a test starts use the second.
process.env.DOCKER_HOST = process.env[engine29Variable];
process.env.PATH = `${engine29Programs}:${process.env.PATH ?? ""}`;

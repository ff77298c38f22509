import * as os from "os";
import * as path from "path";

// Choices on the developer's machine must not matter: neither a context of the docker command nor an engine and its certificates.
process.env.DOCKER_CONFIG = path.join(os.tmpdir(), "container-registry-no-such-folder");
delete process.env.DOCKER_CONTEXT;
delete process.env.DOCKER_HOST;
delete process.env.DOCKER_TLS;
delete process.env.DOCKER_TLS_VERIFY;
delete process.env.DOCKER_CERT_PATH;

// The SDK takes a stack trace for every promise, in case it is never resolved. Jest maps each to TypeScript, which takes half of the tests' time.
jest.mock("@pulumi/pulumi/runtime/debuggable", () => ({
  ...jest.requireActual<object>("@pulumi/pulumi/runtime/debuggable"),
  debuggablePromise: (promise: Promise<unknown>): Promise<unknown> => promise,
}));

// The SDK loads the compiler and its automation, which no unit test uses: that costs a second in every file.
jest.mock("@pulumi/pulumi/typescript-shim", () => ({}));
jest.mock("@pulumi/pulumi/automation", () => ({}));

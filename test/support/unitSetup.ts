import * as os from "os";
import * as path from "path";

// What is chosen on the developer's machine has no say: neither a context of the docker command nor an engine.
process.env.DOCKER_CONFIG = path.join(os.tmpdir(), "container-registry-no-such-folder");
delete process.env.DOCKER_CONTEXT;
delete process.env.DOCKER_HOST;

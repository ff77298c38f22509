import { resource } from "../../provider/resource";
import { nanoseconds } from "../durations";
import { Engine } from "../engine";
import { Login, registryOf } from "../logins";
import { eventually } from "../waiting";
import { ServiceInputs, serviceInputs } from "./serviceInputs";
import { serviceProperties, ServiceSpec, serviceSpec } from "./serviceSpec";

const at = (id: string, what = ""): string => `/services/${id}${what}`;

interface ServiceFound {
  Version: { Index: number };
  Spec: ServiceSpec;
}

interface Task {
  ServiceID: string;
  Status: { ContainerStatus?: { ContainerID?: string } };
}

/** What the nodes pull the image with. */
function loginFor(engine: Engine, { auth, taskSpec }: ServiceInputs): Login | undefined {
  return auth === undefined
    ? engine.login(registryOf(taskSpec.containerSpec.image))
    : { username: auth.username, password: auth.password, serveraddress: auth.serverAddress };
}

export const service = resource({
  type: "docker:index/service:Service",
  inputs: serviceInputs,
  outputs: {},
  meta: { schema_version: "2" },

  async create(inputs, { configuration: engine }: { configuration: Engine }) {
    const call = { body: serviceSpec(inputs), login: loginFor(engine, inputs) };
    const { ID } = await engine.call<{ ID: string }>("POST", "/services/create", call);
    return { id: ID, outputs: {} };
  },

  async read(id, state, { configuration: engine }) {
    const found = await engine.find<ServiceFound>(at(id));
    return found && { ...state, ...serviceProperties(found.Spec, state) };
  },

  async update(id, _, inputs, { configuration: engine }) {
    const { Version } = await engine.call<ServiceFound>("GET", at(id));
    const call = { query: { version: Version.Index }, body: serviceSpec(inputs), login: loginFor(engine, inputs) };
    await engine.call("POST", at(id, "/update"), call);
    return {};
  },

  async delete(id, { taskSpec }, { configuration: engine, signal }) {
    // The engine does not filter by a service that is gone.
    const tasks = async (): Promise<Task[]> =>
      (await engine.call<Task[]>("GET", "/tasks")).filter(({ ServiceID }) => ServiceID === id);
    const containers = (await tasks())
      .map(({ Status }) => Status.ContainerStatus?.ContainerID ?? "")
      .filter((each) => each !== "");
    await engine.remove(at(id));
    // Its tasks end after it, and the containers of this engine after those; what they use can't be deleted before.
    const grace = (nanoseconds(taskSpec.containerSpec.stopGracePeriod) ?? 0) / 1e9;
    await eventually(grace + secondsOfPatience, signal, async () => {
      const left = await Promise.all(containers.map((each) => engine.find(`/containers/${each}/json`)));
      return left.every((each) => each === undefined) && (await tasks()).length === 0 ? true : undefined;
    });
  },
});

/** Until a node has told the managers of a task's end. */
const secondsOfPatience = 15;

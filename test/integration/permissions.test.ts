import { CleanUp, Disposable } from "../support/cleanUp";
import { Crane, DockerClient, request, Skopeo } from "../support/clients";
import { Result } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";

const repositories = ["team-a/app", "team-b/app"] as const;
// Clients take any name without a colon (RFC 7617).
const team = "team+ci@example.com";
// Docker shows the answer to its second try, in clear, where it is not logged in on localhost.
const denial =
  /may have to log in|denied|unauthorized|no basic auth credentials|authentication required|403 (Forbidden|\(Forbidden\))/i;

/** A client that is logged in as somebody. */
interface Client extends Disposable {
  push(image: string): Promise<Result>;
  pull(image: string): Promise<Result>;
}

/** Read-only users, users of some repositories, and nobody at all, with the clients that people have. */
describe("what users may do", () => {
  const cleanUp = new CleanUp();
  const builder = cleanUp.add(new DockerClient());
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let local: string;
  let archive: string;

  beforeAll(async () => {
    stack = cleanUp.add(
      await TestStack.create({
        "users[0].name": "admin",
        "users[1].name": "reader",
        "users[1].access": "pull",
        "users[2].name": team,
        "users[2].repositories[0]": "team-a/*",
      }),
    );
    outputs = await stack.up();
    local = await builder.buildImage(`${stack.name}/image`, [1000]);
    const admin = cleanUp.add(new Skopeo(outputs));
    archive = admin.path("image.tar");
    await builder.run("save", "--output", archive, local);
    for (const repository of repositories) {
      await admin.copy(`docker-archive:${archive}`, `docker://${outputs.repositoryPrefix}/${repository}`);
    }
  });

  const clients: Record<string, (as: RegistryOutputs) => Promise<Client>> = {
    docker: async (as) => {
      const docker = new DockerClient();
      if (as.username !== "") {
        await docker.login(as);
      }
      return {
        push: async (image) => {
          await docker.tag(local, image);
          return docker.attempt("push", image);
        },
        pull: (image) => {
          docker.willHave(image);
          return docker.attempt("pull", image);
        },
        dispose: () => docker.dispose(),
      };
    },
    skopeo: (as) => {
      const skopeo = new Skopeo(as);
      const copy = (from: string, to: string): Promise<Result> =>
        skopeo.attempt("copy", "--src-cert-dir", skopeo.path("."), "--dest-cert-dir", skopeo.path("."), from, to);
      return Promise.resolve({
        push: (image) => copy(`docker-archive:${archive}`, `docker://${image}`),
        pull: (image) => copy(`docker://${image}`, `dir:${skopeo.path("pulled")}`),
        dispose: () => skopeo.dispose(),
      });
    },
    crane: (as) => {
      const crane = new Crane(as);
      return Promise.resolve({
        push: (image) => crane.attempt("push", archive, image),
        pull: (image) => crane.attempt("pull", image, crane.path("pulled.tar")),
        dispose: () => crane.dispose(),
      });
    },
  };

  /** What each may do with the first repository, and with the second one. */
  const rules: Record<string, [string, string]> = {
    admin: ["push pull", "push pull"],
    reader: ["pull", "pull"],
    [team]: ["push pull", ""],
  };

  describe.each([
    ["with a login alone", false, { ...rules, nobody: ["", ""] as [string, string] }],
    ["with pulls for everybody", true, { ...rules, [team]: ["push pull", "pull"], nobody: ["pull", "pull"] }],
  ])("%s", (_, anonymousPull, expected) => {
    beforeAll(async () => {
      await stack.set({ anonymousPull });
      outputs = await stack.up();
    });

    it("shows in lists what may be pulled", async () => {
      for (const [user, rights] of Object.entries(expected)) {
        const login = user === "nobody" ? null : { username: user, password: outputs.credentials[user] ?? "" };
        for (const query of ["", "?n=1", "?last=team-a"]) {
          const { status, body } = await request(outputs, `/v2/_catalog${query}`, { login });
          if (user === "nobody") {
            expect([user, query, status]).toEqual([user, query, 401]);
          } else {
            const visible = repositories.filter((_, at) => rights[at]?.includes("pull"));
            const listed = query === "?n=1" ? visible.slice(0, 1) : visible;
            expect([user, query, status, JSON.parse(body.toString())]).toEqual([user, query, 200, { repositories: listed }]);
          }
        }
      }
    });

    it.each(Object.keys(clients))("is enforced for %s, and said to be a refusal", async (name) => {
      const allowed: Record<string, string[]> = {};
      for (const [index, user] of Object.keys(expected).entries()) {
        const login =
          user === "nobody" ? { username: "", password: "" } : { username: user, password: outputs.credentials[user] ?? "" };
        const client = cleanUp.add((await clients[name]?.({ ...outputs, ...login })) ?? missing(name));
        allowed[user] = [];
        for (const repository of repositories) {
          const done: string[] = [];
          for (const action of ["push", "pull"] as const) {
            // Pushed to a tag of its own: what is there already need not be pushed.
            const tag = action === "push" ? `${name}-${index}-${anonymousPull}` : "latest";
            const { code, stdout, stderr } = await client[action](`${outputs.repositoryPrefix}/${repository}:${tag}`);
            if (code === 0) {
              done.push(action);
            } else {
              expect(stdout + stderr).toMatch(denial);
            }
          }
          allowed[user].push(done.join(" "));
        }
      }
      expect(allowed).toEqual(expected);
    });
  });

  it("changed without another container", async () => {
    expect(await builder.run("inspect", "--format", "{{.RestartCount}}", outputs.containerName)).toBe("0");
    expect(Object.keys(await stack.plannedChanges())).toEqual(["same"]);
  });
});

function missing(name: string): never {
  throw new Error(`there is no client ${name}`);
}

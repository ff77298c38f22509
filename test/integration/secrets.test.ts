import { randomBytes } from "crypto";
import * as fs from "fs";
import { CertificateMaker } from "../support/certificates";
import { CleanUp } from "../support/cleanUp";
import { DockerClient, request } from "../support/clients";
import { filesUnder } from "../support/folders";
import { pushImage, randomImage } from "../support/images";
import { attempt, run } from "../support/run";
import { Place, readable, Secret, secretOf, secretsOfPem } from "../support/secretSearch";
import { RegistryOutputs, Settings, TestStack } from "../support/testStack";

interface Deployment {
  resources: { type: string; urn: string; outputs?: Record<string, unknown> }[];
}

/** Which outputs of which resources are secrets, whether or not the providers call them so. */
const secretOutputs: Record<string, string[]> = {
  "random:index/randomPassword:RandomPassword": ["result", "bcryptHash"],
  "tls:index/privateKey:PrivateKey": ["privateKeyPem", "privateKeyPemPkcs8"],
};

const given = `given-${randomBytes(12).toString("hex")}`;
const users: [Settings, Settings] = [{ "users[0].name": "admin", "users[1].name": "robot" }, { "users[1].password": given }];

/** Nothing that is secret can be read where other people may look. */
describe.each([
  ["made by the package", () => Promise.resolve({})],
  [
    "made by the user",
    async () => {
      const maker = new CertificateMaker();
      const { certificate, privateKey } = await maker.server("DNS:localhost");
      maker.dispose();
      return { "tls.mode": "provided", "tls.certificate": certificate, "tls.privateKey": privateKey };
    },
  ],
])("a registry with a key and passwords %s", (_, tlsSettings) => {
  const cleanUp = new CleanUp();
  const docker = cleanUp.add(new DockerClient());
  /** What was printed while the stack was made and changed. */
  const printed: Place[] = [];
  let stack: TestStack;
  let outputs: RegistryOutputs;
  let secrets: Secret[];

  beforeAll(async () => {
    const tls: Settings = await tlsSettings();
    const privateKey = tls["tls.privateKey"];
    stack = cleanUp.add(await TestStack.create(users[0], { ...users[1], ...tls }));
    await keep("preview of a new stack", ["preview"]);
    await keep("preview --diff of a new stack", ["preview", "--diff"]);
    await keepUp("the first up");
    // Everything that can change in place does: new password, new certificate.
    await stack.set({ "users[0].generation": 2, ...(privateKey === undefined ? { "tls.generation": 2 } : {}) });
    await keep("preview of a change", ["preview"]);
    await keep("preview --diff of a change", ["preview", "--diff"]);
    await keep("preview --json of a change", ["preview", "--json"]);
    await keepUp("an up that changes");
    outputs = await stack.outputs();
    await keep("refresh", ["refresh", "--yes", "--diff"]);
    await keep("stack", ["stack"]);
    await keep("stack output", ["stack", "output", "--json"]);
    await keep("config", ["config", "--json"]);

    const state = JSON.parse(await stack.pulumi("stack", "export", "--show-secrets")) as { deployment: Deployment };
    const found = state.deployment.resources.flatMap(({ type, urn, outputs: values = {} }) =>
      (secretOutputs[type] ?? []).flatMap((key): [string, string][] => [
        [`${urn.split("::").pop()} ${key}`, decrypted(values[key])],
      ]),
    );
    secrets = [
      ...[...found, ...(privateKey === undefined ? [] : [["provided key", String(privateKey)] as [string, string]])].flatMap(
        ([name, value]) => (value.includes("-----BEGIN") ? secretsOfPem(name, value) : [secretOf(name, value)]),
      ),
      secretOf("given password", given),
      secretOf("current password", outputs.password),
    ];

    // What the server logs when it is used, and refused.
    await docker.login(outputs);
    await request(outputs, "/v2/", { login: { username: "admin", password: given } });
    await request(outputs, "/v2/", { login: { username: "robot", password: given } });
    await pushImage(outputs, "some/image", "latest", randomImage());
  });

  async function keep(name: string, words: string[]): Promise<void> {
    printed.push({ name, text: await stack.pulumi(...words) });
  }

  /** An `up` that tells all it can, while the list of processes is watched. */
  async function keepUp(name: string): Promise<void> {
    const lines: string[] = [];
    const processes = new Set<string>();
    const watch = setInterval(() => {
      for (const id of fs.readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
        try {
          processes.add(fs.readFileSync(`/proc/${id}/cmdline`, "utf8"));
        } catch {
          // It has ended since the folder was listed.
        }
      }
    }, 50);
    try {
      await stack.stack.up({
        diff: true,
        onOutput: (text) => lines.push(text),
        onError: (text) => lines.push(text),
        // Pulumi's SDK writes the outputs of resources into its debug messages, whatever program runs; only `--debug` shows those.
        onEvent: (event) => {
          if (String(event.diagnosticEvent?.severity) !== "debug") {
            lines.push(JSON.stringify(event));
          }
        },
      });
    } finally {
      clearInterval(watch);
    }
    printed.push({ name, text: lines.join("\n") }, { name: `processes of ${name}`, text: [...processes].join("\n") });
  }

  /** A value of an exported state: secrets are in an envelope there. */
  function decrypted(value: unknown): string {
    if (typeof value === "object" && value !== null && "plaintext" in value && typeof value.plaintext === "string") {
      return String(JSON.parse(value.plaintext));
    }
    return String(value);
  }

  it("has secrets to search for", () => {
    const kinds = secrets.map(({ name }) => name.replace(/^.*-/, ""));
    expect(kinds).toEqual(expect.arrayContaining(["secret result", "given password", "current password"]));
    expect(kinds.filter((kind) => /key|privateKeyPem/i.test(kind)).length).toBeGreaterThanOrEqual(3);
    expect(kinds.filter((kind) => kind.endsWith("bcryptHash")).length).toBeGreaterThanOrEqual(1);
  });

  it("is searched in a way that finds each secret where it does stand", async () => {
    const shown = { name: "the state in clear", text: await stack.pulumi("stack", "export", "--show-secrets") };
    const names = (found: string[]): string[] => [...new Set(found.map((each) => each.replace(/ as .*/, "")))].sort();
    expect(names(readable(secrets, [shown]))).toEqual(names(secrets.map(({ name }) => name)));
    for (const secret of secrets) {
      for (const { form, text } of secret.forms) {
        expect(readable([secret], [{ name: "a place", text: `before${text}after` }])).toContain(
          `${secret.name} as ${form} in a place`,
        );
      }
    }
    const header = Buffer.from(`robot:${given}`).toString("base64");
    expect(
      readable([secretOf("given password", given)], [{ name: "a header", text: `Authorization: Basic ${header}` }]),
    ).toHaveLength(2);
  });

  it("shows none in what Pulumi prints, while it previews, deploys and changes", () => {
    expect(printed.every(({ text }) => text.length > 20)).toBe(true);
    expect(readable(secrets, printed)).toEqual([]);
  });

  it("stores none in clear: state, its history and backups, configuration", async () => {
    const files = filesUnder(stack.folder).map((name) => ({ name, text: fs.readFileSync(`${stack.folder}/${name}`, "utf8") }));
    expect(files.map(({ name }) => name)).toEqual(
      expect.arrayContaining([`stacks/Pulumi.${stack.name}.yaml`, expect.stringMatching(/^state\/\.pulumi\/stacks\/.*\.json$/)]),
    );
    expect(readable(secrets, [...files, { name: "stack export", text: await stack.pulumi("stack", "export") }])).toEqual([]);
  });

  it("shows none to those who may ask the engine", async () => {
    const places: Place[] = [];
    for (const kind of ["container", "volume", "image"] as const) {
      const names = await stack.engineObjects(kind);
      expect(names).not.toEqual([]);
      for (const name of names) {
        places.push({ name: `inspect of ${kind} ${name}`, text: await docker.run(kind, "inspect", name) });
        if (kind === "container") {
          const { stdout, stderr } = await docker.attempt("logs", name);
          places.push({ name: `logs of ${name}`, text: `${stdout}${stderr}` });
          places.push({ name: `changed files of ${name}`, text: await docker.run("diff", name) });
        }
      }
    }
    const server = places.find(({ name }) => name === `logs of ${outputs.containerName}`);
    expect(server?.text).toContain("some/image");
    expect(readable(secrets, places)).toEqual([]);
  });

  it("shows none in the list of processes, nor in the environment of the server", async () => {
    const id = await docker.run("inspect", "--format", "{{.State.Pid}}", outputs.containerName);
    const places = [
      { name: "ps axww", text: await run("ps", ["axww"]) },
      { name: "environment of the server", text: fs.readFileSync(`/proc/${id}/environ`, "utf8") },
      { name: "arguments of the server", text: fs.readFileSync(`/proc/${id}/cmdline`, "utf8") },
    ];
    expect(places[1]?.text).toContain("GOMEMLIMIT=");
    expect(places[2]?.text).toContain("serve");
    expect(readable(secrets, places)).toEqual([]);
  });

  it("prints none when it is taken down", async () => {
    const { code, stdout, stderr } = await attempt("pulumi", ["destroy", "--yes", "--diff"], stack.inFolder());
    expect([code, readable(secrets, [{ name: "destroy", text: `${stdout}${stderr}` }])]).toEqual([0, []]);
  });
});

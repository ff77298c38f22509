import { randomBytes } from "crypto";
import * as http from "http";
import { Browser, Person, View } from "../support/browser";
import { CleanUp } from "../support/cleanUp";
import { request } from "../support/clients";
import { manifestType, pushImage, randomImage } from "../support/images";
import { indexOf, madeChart, madeImage } from "../support/madeImages";
import { eventually } from "../support/run";
import { RegistryOutputs, TestStack } from "../support/testStack";
import { listening } from "../support/ports";

const attack = `</code><script>alert(1)</script><img src=x onerror=alert(1)>`;

/** The page, as people see it in a browser. */
describe("the page of a registry", () => {
  const cleanUp = new CleanUp();
  let outputs: RegistryOutputs;
  let browser: Browser;

  beforeAll(async () => {
    const stack = cleanUp.add(
      await TestStack.create({
        "users[0].name": "admin",
        "users[1].name": "maria",
        "users[1].repositories[0]": "shop/*",
        "users[2].name": "reader",
        "users[2].access": "pull",
        "users[2].repositories[0]": "base/*",
        "garbageCollection.schedule": "0 3 1 1 *",
        "garbageCollection.retention[0].repositories[0]": "shop/*",
        "garbageCollection.retention[0].keepNewest": 3,
      }),
    );
    outputs = await stack.up();
    browser = cleanUp.add(await Browser.open());
    await fill();
  });

  /** What a registry holds after some use. */
  async function fill(): Promise<void> {
    const base = randomBytes(400_000);
    const steps = [
      "ADD rootfs.tar.gz /",
      "RUN apt-get update && apt-get install -y ca-certificates",
      "COPY --chown=1000 dist /app",
      'CMD ["--port", "8080"]',
    ];
    const labels = { "org.opencontainers.image.source": "https://git.example.com/shop/api", hostile: attack };
    const env = ["PATH=/usr/local/bin:/usr/bin:/bin", "MODE=production"];
    for (let minor = 0; minor < 12; minor++) {
      const both = {
        amd64: madeImage({ labels, env, steps, base }),
        arm64: madeImage({ architecture: "arm64", labels, env, steps, base }),
      };
      for (const image of Object.values(both)) {
        await pushImage(outputs, "shop/api", image.digest, image);
      }
      await pushIndex("shop/api", `1.${minor}.0`, indexOf(both));
      if (minor === 11) {
        await pushIndex("shop/api", "latest", indexOf(both));
      }
    }
    for (const repository of ["shop/web", "shop/worker", "base/debian", "base/node", "infra/proxy"]) {
      await pushImage(outputs, repository, "latest", madeImage({ labels, env, steps, base }));
    }
    await pushImage(outputs, "charts/shop", "0.3.1", madeChart("shop", "0.3.1"));
    for (const image of [randomImage(), randomImage()]) {
      await pushImage(outputs, "shop/lost", "moved", image);
    }
    for (let build = 1; build <= 10; build++) {
      await pushImage(outputs, "shop/builds", `build-${build}`, randomImage([50_000]));
    }
  }

  async function pushIndex(repository: string, tag: string, body: Buffer): Promise<void> {
    const headers = { "Content-Type": "application/vnd.oci.image.index.v1+json" };
    expect((await request(outputs, `/v2/${repository}/manifests/${tag}`, { method: "PUT", headers, body })).status).toBe(201);
  }

  async function loggedIn(user: string, view: View = {}): Promise<Person> {
    const person = await browser.person(outputs.endpoint, view);
    await person.logIn(user, outputs.credentials[user] ?? "");
    return person;
  }

  const shown = (person: Person, path: string, text: string): Promise<boolean> =>
    eventually(`"${text}" on ${path}`, async () => {
      await person.page.goto(path);
      return (await person.text()).includes(text);
    });

  it("has its address in the outputs, and leaves / to load balancers", async () => {
    expect(outputs.page).toBe(`${outputs.endpoint}/`);
    expect(await request(outputs, "/", { login: null })).toMatchObject({ status: 200, body: Buffer.from("") });
    const browsers = await request(outputs, "/", { login: null, headers: { Accept: "text/html" } });
    expect([browsers.status, browsers.headers.location]).toEqual([303, "/ui/"]);
  });

  it("shows each user what they may see", async () => {
    const admin = await loggedIn("admin");
    await shown(admin, "/ui/", "9 repositories");
    const reader = await loggedIn("reader");
    expect(await reader.text()).toContain("2 repositories");
    expect(await reader.text()).not.toContain("shop");
    await reader.page.goto("/ui/r/shop/api");
    expect(await reader.text()).toContain("not for you to see");
    await reader.page.goto("/ui/r/base/debian");
    expect(await reader.page.getByRole("checkbox").count()).toBe(0);
    await reader.page.getByRole("button", { name: "Log out" }).click();
    await reader.page.waitForURL("**/ui/login");
    await reader.page.goto("/ui/r/base/debian");
    expect(reader.page.url()).toContain("/ui/login?to=");
    expect([...admin.complaints, ...reader.complaints]).toEqual([]);
  });

  it("refuses a wrong password, and keeps none", async () => {
    const person = await browser.person(outputs.endpoint);
    await person.page.goto("/");
    await person.page.getByLabel("User").fill("admin");
    await person.page.getByLabel("Password").fill("wrong");
    await person.page.getByRole("button", { name: "Log in" }).click();
    expect(await person.page.getByRole("alert").innerText()).toBe("Unknown user or wrong password.");
    expect(await person.inspect("login-refused")).toEqual([]);
    const cookies = await (await loggedIn("admin")).context.cookies();
    expect(cookies).toEqual([expect.objectContaining({ httpOnly: true, secure: true, sameSite: "Strict", path: "/ui/" })]);
    expect(JSON.stringify(cookies)).not.toContain(outputs.password);
  });

  it("is searched, browsed and copied from", async () => {
    const person = await loggedIn("maria");
    await person.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await person.page.getByPlaceholder("Search repositories").fill("api");
    await person.page.getByRole("button", { name: "Search" }).click();
    expect(await person.text()).toContain("1 repository with “api”");
    await person.page.getByRole("link", { name: "shop/api" }).click();
    const tags = await person.page.getByRole("row").allInnerTexts();
    expect(tags.slice(1, 3)).toEqual([expect.stringContaining("latest"), expect.stringContaining("1.11.0")]);
    await person.page.getByRole("button", { name: /^Copy .*:1\.11\.0$/ }).click();
    const copied: unknown = await person.page.evaluate("navigator.clipboard.readText()");
    expect(copied).toBe(`docker pull ${outputs.repositoryPrefix}/shop/api:1.11.0`);
    await person.page.getByRole("link", { name: "latest", exact: true }).click();
    await person.page.getByRole("link", { name: "linux/arm64" }).click();
    const text = await person.text();
    for (const part of ["COPY --chown=1000 dist /app", "MODE=production", "https://git.example.com/shop/api", attack]) {
      expect(text).toContain(part);
    }
    expect(person.complaints).toEqual([]);
  });

  it("deletes ten tags after a question, and frees their space by a collection", async () => {
    const person = await loggedIn("admin");
    await person.page.goto("/ui/r/shop/builds");
    await person.page.getByLabel("All tags of this page").check();
    expect(await person.text()).toContain("10 chosen");
    await person.page.getByRole("button", { name: "Delete chosen tags…" }).click();
    expect(await person.text()).toMatch(/Delete 10 tags\?[^]*10 images will have no tag then[^]*frees 50\d kB at most/);
    expect(await person.inspect("delete")).toEqual([]);
    await person.page.goBack();
    expect(await person.text()).toContain("10 chosen");
    await person.page.getByRole("button", { name: "Delete chosen tags…" }).click();
    await person.page.getByRole("button", { name: "Delete", exact: true }).click();
    expect(await person.text()).toContain("10 tags were deleted");
    expect((await request(outputs, "/v2/shop/builds/tags/list")).body.toString()).toContain('"tags":[]');
    await person.page.getByRole("link", { name: "Clean-up" }).click();
    await person.page.getByRole("button", { name: "Collect now" }).click();
    await shown(person, "/ui/cleanup", "just now");
    expect(await person.page.getByRole("region", { name: "Collections" }).innerText()).toMatch(/50\d kB/);
    await person.page.getByRole("button", { name: "Find out" }).click();
    await shown(person, "/ui/cleanup", "rule 1 (keep newest 3)");
    expect(await person.text()).toMatch(/free of/);
    expect(person.complaints).toEqual([]);
  });

  const views: [name: string, view: View][] = [
    ["light", {}],
    ["dark", { dark: true }],
    ["phone", { width: 390 }],
    ["phone-dark", { width: 390, dark: true }],
  ];

  it.each(views)("keeps nobody from using it, and fits on the screen: %s", async (name, view) => {
    const person = await browser.person(outputs.endpoint, view);
    await person.page.goto("/");
    const wrong = [...(await person.inspect(`login-${name}`))];
    await person.logIn("admin", outputs.password);
    const look = async (page: string): Promise<void> => {
      wrong.push(...(await person.inspect(`${page}-${name}`)).map((each) => `${page}: ${each}`));
      // A table that is too wide is cut off by its card.
      const beyond: number = await person.page.evaluate(
        "Math.max(...[document.documentElement, ...document.querySelectorAll('.table')].map((e) => e.scrollWidth - e.clientWidth))",
      );
      expect([page, beyond]).toEqual([page, 0]);
    };
    // What clients push may have long texts without a place to break.
    const wide = { architecture: "a".repeat(128), labels: { ["l".repeat(400)]: "value" } };
    await pushImage(outputs, "shop/wide", "1", madeImage(wide));
    const untagged = madeImage(wide);
    await pushImage(outputs, "shop/wide", untagged.digest, untagged);
    for (const [page, path] of [
      ["repositories", ""],
      ["tags", "r/shop/api"],
      ["untagged", "r/shop/lost?untagged"],
      ["index", "r/shop/api:latest"],
      ["image", "r/shop/web:latest"],
      ["chart", "r/charts/shop:0.3.1"],
      ["wide-tags", "r/shop/wide"],
      ["wide-image", "r/shop/wide:1"],
      ["wide-untagged", "r/shop/wide?untagged"],
      ["cleanup", "cleanup"],
      ["missing", "r/none"],
      ["unfound", `?q=${"w".repeat(300)}`],
    ] as const) {
      await person.page.goto(`/ui/${path}`);
      await look(page);
    }
    await pushImage(outputs, "shop/long", "T".repeat(128), randomImage());
    await person.page.goto("/ui/r/shop/long");
    await person.page.getByRole("checkbox").last().check();
    await person.page.getByRole("button", { name: "Delete chosen tags…" }).click();
    await person.page.getByRole("heading", { name: "Delete 1 tag?" }).waitFor();
    await look("delete");
    expect(wrong).toEqual([]);
    expect(person.complaints).toEqual([]);
  });

  it("needs no script", async () => {
    await pushImage(outputs, "shop/plain", "1", randomImage());
    await pushImage(outputs, "shop/plain", "2", randomImage());
    const person = await loggedIn("maria", { script: false });
    await person.page.goto("/ui/r/shop/plain");
    expect(await person.page.getByRole("button", { name: /^Copy/ }).count()).toBe(0);
    await person.page.getByLabel("1", { exact: true }).check();
    await person.page.getByRole("button", { name: "Delete chosen tags…" }).click();
    await person.page.getByRole("button", { name: "Delete", exact: true }).click();
    expect(await person.text()).toContain("1 tag was deleted");
    await person.page.getByRole("link", { name: "2", exact: true }).click();
    expect(await person.text()).toContain(`docker pull ${outputs.repositoryPrefix}/shop/plain:2`);
  });

  it("sorts tags without a script, and finds what lost its tag", async () => {
    const person = await loggedIn("maria", { script: false });
    await person.page.goto("/ui/r/shop/api");
    await person.page.getByRole("link", { name: "Last push" }).click();
    const rows = await person.page.getByRole("row").allInnerTexts();
    const tags = rows.map((row) => /latest|1\.\d+\.0/.exec(row)?.[0]);
    expect([tags[1], tags[2], tags[13]]).toEqual(["latest", "1.11.0", "1.0.0"]);
    await shown(person, "/ui/r/shop/lost", "1 untagged manifest");
    await person.page.getByRole("link", { name: "1 untagged manifest" }).click();
    await person.page.getByRole("checkbox").check();
    await person.page.getByRole("button", { name: "Delete chosen manifests…" }).click();
    await person.page.getByRole("button", { name: "Delete", exact: true }).click();
    expect(await person.text()).toMatch(/1 manifest was deleted[^]*There are none/);
    expect(person.complaints).toEqual([]);
  });

  it("needs no mouse", async () => {
    const person = await browser.person(outputs.endpoint);
    const { keyboard } = person.page;
    await person.page.goto("/");
    // The first field gets the focus by itself: a moment after the page on a busy machine.
    await person.page.locator("input[name=user]:focus").waitFor();
    await keyboard.type("maria");
    await keyboard.press("Tab");
    await keyboard.type(outputs.credentials.maria ?? "");
    await keyboard.press("Enter");
    await person.page.getByRole("button", { name: "Log out" }).waitFor();
    await person.tabTo("To the content");
    await person.tabTo("shop/api");
    await keyboard.press("Enter");
    await person.page.getByRole("heading", { name: "shop/api" }).waitFor();
    await person.tabTo("1.5.0");
    await keyboard.press("Space");
    expect(await person.text()).toContain("1 chosen");
    await keyboard.press("Enter");
    await person.page.getByRole("heading", { name: "Delete 1 tag?" }).waitFor();
    await person.tabTo("Keep");
    await keyboard.press("Enter");
    await person.page.getByRole("heading", { name: "shop/api" }).waitFor();
  });

  it("can't be shown in a frame, nor sent a form, by pages of others", async () => {
    const image = randomImage();
    await pushImage(outputs, "shop/guarded", "1", image);
    const person = await loggedIn("maria");
    const fields = { repository: "shop/guarded", confirmed: "yes", images: "yes", named: `1@${image.digest}` };
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    const attacker = http.createServer((_, answer) => {
      answer.setHeader("Content-Type", "text/html");
      answer.end(
        `<iframe src="${outputs.endpoint}/ui/"></iframe><form method="post" action="${outputs.endpoint}/ui/delete">${inputs.join("")}<button>Win</button></form>`,
      );
    });
    cleanUp.add({ dispose: () => void attacker.close() });
    const port = await listening(attacker);
    // Another site, and one on another port of the registry's host, to which browsers do send the cookie.
    for (const host of ["127.0.0.1", "localhost"]) {
      await person.page.goto(`http://${host}:${port}/`);
      const framed = await Promise.all(person.page.frames().map((frame) => frame.content()));
      expect([framed.length, framed.slice(1).join("")]).toEqual([2, expect.not.stringMatching(/Repositories|Log in|Log out/)]);
      await person.page.getByRole("button", { name: "Win" }).click();
      await person.page.waitForURL("**/ui/delete");
      expect(await person.text()).toContain("Another page sent this form");
    }
    await person.page.goto("/ui/r/shop/guarded");
    expect(await person.page.getByRole("checkbox", { name: "1", exact: true }).count()).toBe(1);
  });

  it("shows images of many layers, and of the largest manifest", async () => {
    const image = randomImage([100]);
    const { config, layers } = JSON.parse(image.manifest.toString()) as { config: object; layers: object[] };
    const push = async (tag: string, manifest: object): Promise<void> => {
      const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, ...manifest }));
      const answer = await request(outputs, `/v2/shop/large/manifests/${tag}`, {
        method: "PUT",
        headers: { "Content-Type": manifestType },
        body,
      });
      expect([tag, answer.status]).toEqual([tag, 201]);
    };
    await pushImage(outputs, "shop/large", "small", image);
    await push("layers", { layers: Array.from({ length: 1000 }, () => layers[0]) });
    await push("largest", { layers, annotations: { text: "x".repeat((4 << 20) - 1000) } });
    const person = await loggedIn("maria");
    await person.page.goto("/ui/r/shop/large");
    expect(await person.page.getByRole("row").count()).toBe(4);
    for (const tag of ["layers", "largest"]) {
      await person.page.goto(`/ui/r/shop/large:${tag}`);
      expect(await person.page.getByRole("heading", { level: 1 }).innerText()).toBe(tag);
    }
  });
});

import * as fs from "fs";
import * as path from "path";
import { Browser as Chromium, BrowserContext, chromium, Page } from "playwright-core";
import { run } from "./run";
import { SocksProxy } from "./socksProxy";
import { projectRoot } from "./testStack";

/** Pictures of the pages, for people. */
const pictures = path.join(projectRoot, "test", "output");

/** A script that looks for obstacles to the use of a page. */
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** How a person looks at a page. */
export interface View {
  width?: number;
  dark?: boolean;
  script?: boolean;
}

/**
 * Debian's Chromium, or a similar browser, in a network of its own: it aborts everything that it loads when a network of the machine
 * comes or goes, as those of other tests' engines do. `dispose` ends it.
 */
export class Browser {
  private constructor(
    private readonly chromium: Chromium,
    private readonly wayOut: SocksProxy,
  ) {}

  static async open(): Promise<Browser> {
    const executable = await run("sh", ["-c", "command -v chromium || command -v google-chrome"]);
    const wayOut = await SocksProxy.start();
    const executablePath = path.join(wayOut.folder, "browser");
    // All of it ends with the test, however that ends. The relay keeps none of the pipes through which the browser is controlled.
    const inside = `ip link set lo up && (socat TCP-LISTEN:1080,bind=127.0.0.1,fork UNIX-CONNECT:${wayOut.socket} 3>&- 4>&- &) && exec ${executable.trim()} "$@"`;
    const script = `#!/bin/sh\nexec unshare --net --pid --fork --kill-child --mount-proc sh -c '${inside}' browser "$@"\n`;
    fs.writeFileSync(executablePath, script, { mode: 0o755 });
    // Its sandbox needs more rights than a container has.
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    return new Browser(await chromium.launch({ executablePath, args, proxy: { server: "socks5://127.0.0.1:1080" } }), wayOut);
  }

  /** A person with cookies of their own, who has not been here before. */
  async person(endpoint: string, { width = 1280, dark = false, script = true }: View = {}): Promise<Person> {
    const context = await this.chromium.newContext({
      baseURL: endpoint,
      viewport: { width, height: 800 },
      colorScheme: dark ? "dark" : "light",
      javaScriptEnabled: script,
      // The browser does not know the test's CA.
      ignoreHTTPSErrors: true,
    });
    return new Person(context, await context.newPage());
  }

  async dispose(): Promise<void> {
    await this.chromium.close();
    this.wayOut.dispose();
  }
}

/** Somebody in front of a browser. Errors of the page are kept in `complaints`. */
export class Person {
  readonly complaints: string[] = [];

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("dialog", (dialog) => {
      this.complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      // Chromium reports every answer of 4xx as an error.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        this.complaints.push(message.text());
      }
    });
  }

  async logIn(user: string, password: string): Promise<void> {
    await this.page.goto("/");
    await this.page.getByLabel("User").fill(user);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Log in" }).click();
    await this.page.getByRole("button", { name: "Log out" }).waitFor();
  }

  /** The text of the page's main part. */
  text(): Promise<string> {
    return this.page.getByRole("main").innerText();
  }

  /** Takes a picture, and returns what axe-core finds to be wrong, each as `rule: element`. */
  async inspect(name: string): Promise<string[]> {
    fs.mkdirSync(pictures, { recursive: true });
    await this.page.screenshot({ path: path.join(pictures, `page-${name}.png`), fullPage: true });
    const found: { id: string; nodes: { html: string }[] }[] = await this.page.evaluate(
      `${axe}; axe.run().then((r) => r.violations)`,
    );
    return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }

  /** Goes from element to element with the tab key, up to the one that has this name. */
  async tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 60; presses++) {
      await this.page.keyboard.press("Tab");
      const focused: string = await this.page.evaluate(
        "((e) => e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || e.value || '')(document.activeElement)",
      );
      if (focused.trim() === name) {
        return;
      }
    }
    throw new Error(`no way to ${name} by the tab key`);
  }
}

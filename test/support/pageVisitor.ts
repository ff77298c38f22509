import { Answer, request } from "./clients";
import { RegistryOutputs } from "./testStack";

/** Where a visitor's request goes, and where it says that it comes from. */
export interface Way {
  /** Address to connect to, instead of the endpoint's. */
  host?: string;
  /** The origin that a browser gives for the page that sent a form. Default: the registry's own. */
  origin?: string;
  headers?: Record<string, string>;
}

/** Somebody who looks at the page with cookies, but without a browser. */
export class PageVisitor {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly outputs: RegistryOutputs) {}

  /** The cookie that the registry gave last, with its attributes. */
  given = "";

  get(path: string, { host, headers = {} }: Way = {}): Promise<Answer> {
    return this.send(path, { host, headers: { Accept: "text/html", ...headers } });
  }

  /** Sends a form as browsers do. */
  post(path: string, form: [name: string, value: string][], { host, origin, headers = {} }: Way = {}): Promise<Answer> {
    const from = { Origin: origin ?? new URL(this.outputs.endpoint).origin, "Content-Type": "application/x-www-form-urlencoded" };
    return this.send(path, {
      method: "POST",
      host,
      headers: { ...from, ...headers },
      body: new URLSearchParams(form).toString(),
    });
  }

  logIn({ username, password } = this.outputs, way: Way = {}): Promise<Answer> {
    return this.post(
      "/ui/login",
      [
        ["user", username],
        ["password", password],
      ],
      way,
    );
  }

  async text(path: string, way: Way = {}): Promise<string> {
    const { status, body } = await this.get(path, way);
    return `${status} ${body.toString()}`;
  }

  private async send(
    path: string,
    options: Parameters<typeof request>[2] & { headers: Record<string, string> },
  ): Promise<Answer> {
    const cookies = [...this.cookies.values()].join("; ");
    const headers = { ...options.headers, ...(cookies === "" ? {} : { Cookie: cookies }) };
    const answer = await request(this.outputs, path, { ...options, headers, login: null });
    for (const given of [answer.headers["set-cookie"] ?? []].flat()) {
      this.given = given;
      const [pair = ""] = given.split(";");
      const [name = ""] = pair.split("=");
      this.cookies.set(name, pair);
      if (/; Max-Age=0(;|$)/.test(given)) {
        this.cookies.delete(name);
      }
    }
    return answer;
  }
}

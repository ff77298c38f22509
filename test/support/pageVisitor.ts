import { Answer, request } from "./clients";
import { RegistryOutputs } from "./testStack";

/** Where a request of a visitor goes to, and where its page says that it came from. */
export interface Way {
  /** Address to connect to, instead of the endpoint's. */
  host?: string;
  /** What a browser says of the page that sent a form. Default: the registry's own. */
  origin?: string;
  headers?: Record<string, string>;
}

/** Somebody who looks at the page with cookies, and no browser to look at it with. */
export class PageVisitor {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly outputs: RegistryOutputs) {}

  /** The cookie that the registry gave last, with what it says about it. */
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

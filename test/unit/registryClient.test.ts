import { createHash } from "crypto";
import * as http from "http";
import { RegistryClient } from "../../commands/registryClient";
import { CleanUp } from "../support/cleanUp";
import { listening } from "../support/ports";

type Handler = (request: http.IncomingMessage, url: URL, response: http.ServerResponse) => void;

/** A server of HTTP on a free port that writes down what it is asked. */
class FakeServer {
  readonly asked: { target: string; authorization?: string }[] = [];
  origin = "";
  private readonly server: http.Server;

  constructor(handler: Handler) {
    this.server = http.createServer((request, response) => {
      const { url = "", method = "", headers } = request;
      this.asked.push({ target: `${method} ${url}`, authorization: headers.authorization });
      handler(request, new URL(url, this.origin), response);
    });
  }

  async start(): Promise<this> {
    this.origin = `http://127.0.0.1:${await listening(this.server)}`;
    return this;
  }

  dispose(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const basic = `Basic ${Buffer.from("user:word").toString("base64")}`;

describe("the registry client", () => {
  const cleanUp = new CleanUp();
  const serve = (handler: Handler): Promise<FakeServer> => cleanUp.add(new FakeServer(handler)).start();
  const clientOf = (server: FakeServer): RegistryClient => {
    const client = new RegistryClient({ endpoint: server.origin, username: "user", password: "word" });
    cleanUp.add({ dispose: () => client.close() });
    return client;
  };

  it("sends its login when it is asked for it, and from then on at once", async () => {
    const server = await serve(({ headers }, _, response) =>
      headers.authorization === basic
        ? response.end("{}")
        : response.writeHead(401, { "WWW-Authenticate": 'Basic realm="test"' }).end(),
    );
    const client = clientOf(server);
    for (const tag of ["a", "b"]) {
      expect((await client.request("GET", `/v2/app/manifests/${tag}`)).status).toBe(200);
    }
    expect(server.asked.map(({ authorization }) => authorization)).toEqual([undefined, basic, basic]);
    expect(client).toMatchObject({ requests: 3, scheme: "Basic", encryption: "none" });
  });

  it("sends nothing to a registry that wants no login", async () => {
    const server = await serve((_, __, response) => response.end("{}"));
    const client = clientOf(server);
    await client.request("GET", "/v2/");
    expect(server.asked).toEqual([{ target: "GET /v2/", authorization: undefined }]);
    expect(client.scheme).toBe("none");
  });

  it("gets a token for what it does, and one more for something else", async () => {
    const scopes: string[][] = [];
    const server: FakeServer = await serve(({ headers, method }, url, response) => {
      if (url.pathname === "/token") {
        scopes.push(url.searchParams.getAll("scope"));
        response.end(JSON.stringify({ access_token: `for ${scopes.at(-1)?.join(" ")}` }));
      } else if (headers.authorization === undefined) {
        const scope = `repository:app:${method === "GET" ? "pull" : "pull,push"}`;
        const challenge = `Bearer realm="${server.origin}/token",service="test",scope="${scope}"`;
        response.writeHead(401, { "WWW-Authenticate": challenge }).end();
      } else {
        response.end("{}");
      }
    });
    const client = clientOf(server);
    await client.request("GET", "/v2/app/manifests/a");
    await client.request("GET", "/v2/app/manifests/b");
    await client.request("POST", "/v2/app/blobs/uploads/?mount=x&from=base", { alsoReads: "base" });
    expect(scopes).toEqual([["repository:app:pull"], ["repository:app:pull,push", "repository:base:pull"]]);
    const tokens = server.asked.filter(({ target }) => target.includes("/token"));
    expect(tokens.every(({ target, authorization }) => target.includes("service=test") && authorization === basic)).toBe(true);
    expect(server.asked.at(-1)?.authorization).toBe("Bearer for repository:app:pull,push repository:base:pull");
    expect(client).toMatchObject({ requests: 7, scheme: "Bearer" });
  });

  it("follows a redirect to a store without the registry's login, and tells the store's host", async () => {
    const content = Buffer.from("content of a blob");
    const store = await serve((_, __, response) => response.end(content));
    const server = await serve(({ headers }, _, response) =>
      headers.authorization === undefined
        ? response.writeHead(401, { "WWW-Authenticate": 'Basic realm="test"' }).end()
        : response.writeHead(307, { Location: `${store.origin}/blob?signature=x` }).end(),
    );
    const download = await clientOf(server).download("/v2/app/blobs/sha256:x");
    expect(download).toMatchObject({
      digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
      bytes: content.length,
      host: "127.0.0.1",
    });
    expect(store.asked).toEqual([{ target: "GET /blob?signature=x", authorization: undefined }]);
  });

  it("sends no login to another server that it is told to ask, also where it has one for the same repository", async () => {
    const other = await serve((_, __, response) => response.end("{}"));
    const server = await serve(({ headers }, _, response) =>
      headers.authorization === undefined
        ? response.writeHead(401, { "WWW-Authenticate": 'Basic realm="test"' }).end()
        : response.end("{}"),
    );
    const client = clientOf(server);
    await client.request("GET", "/v2/app/tags/list");
    // As a header Link of that answer might name it.
    await client.request("GET", `${other.origin}/v2/app/tags/list?last=a`);
    await client.request("GET", "/v2/app/tags/list?last=a");
    expect(other.asked).toEqual([{ target: "GET /v2/app/tags/list?last=a", authorization: undefined }]);
    expect(server.asked.at(-1)?.authorization).toBe(basic);
  });

  it("says in the registry's words why it was refused, and never more than the path of what it asked", async () => {
    const server = await serve((_, __, response) =>
      response.writeHead(404).end(JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "repository name not known" }] })),
    );
    const client = clientOf(server);
    const message = "was answered 404: NAME_UNKNOWN repository name not known";
    await expect(client.expect([200], "GET", "/v2/app/tags/list?state=secret")).rejects.toThrow(
      `GET /v2/app/tags/list ${message}`,
    );
    await expect(client.download("/v2/app/blobs/x")).rejects.toThrow(`GET /v2/app/blobs/x ${message}`);
  });

  it.each(["127.0.0.1", "localhost"])("says of %s, where no registry is, that it is this machine", async (host) => {
    const server = await serve((_, __, response) => response.end());
    const { port } = new URL(server.origin);
    server.dispose();
    const client = new RegistryClient({ endpoint: `http://${host}:${port}` });
    cleanUp.add({ dispose: () => client.close() });
    await expect(client.request("GET", "/v2/")).rejects.toThrow(
      new RegExp(
        `^GET http://${host}:${port}/v2/: connect ECONNREFUSED .*; ${host} is this machine: where .* run the command there$`,
      ),
    );
  });

  it("gives up on a login that is refused", async () => {
    const server = await serve((_, __, response) => response.writeHead(401, { "WWW-Authenticate": 'Basic realm="x"' }).end());
    await expect(clientOf(server).expect([200], "GET", "/v2/")).rejects.toThrow("GET /v2/ was answered 401");
    expect(server.asked).toHaveLength(2);
  });
});

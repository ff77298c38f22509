import { sign, X509Certificate } from "crypto";
import * as http from "http";
import { makeCertificate } from "./pki";
import { listening } from "./ports";

/** A token server (https://distribution.github.io/distribution/spec/auth/token/) for one user, who may do everything. */
export class TokenServer {
  static readonly service = "test-registry";
  static readonly issuer = "test-issuer";

  /** The scopes that were asked for, those of each request in one text. */
  readonly scopes: string[] = [];
  private readonly signer = makeCertificate({ subject: "token server" });
  private readonly server: http.Server;

  constructor(private readonly login: { username: string; password: string }) {
    this.server = http.createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://token");
      const expected = `Basic ${Buffer.from(`${this.login.username}:${this.login.password}`).toString("base64")}`;
      if (request.headers.authorization !== expected || searchParams.get("service") !== TokenServer.service) {
        response.writeHead(401).end();
        return;
      }
      const scopes = searchParams.getAll("scope").flatMap((scope) => scope.split(" "));
      this.scopes.push(scopes.join(" "));
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ token: this.token(scopes) }));
    });
  }

  /** The certificate with which a registry verifies this server's tokens. */
  get certificate(): string {
    return this.signer.certificate;
  }

  /** Starts on a free port; returns the URL a registry sends its clients to. */
  async start(): Promise<string> {
    return `http://127.0.0.1:${await listening(this.server)}/token`;
  }

  dispose(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** A JSON Web Token that grants what was asked for. */
  private token(scopes: string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const access = scopes.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",") };
    });
    const x5c = [new X509Certificate(this.signer.certificate).raw.toString("base64")];
    const content = [
      part({ typ: "JWT", alg: "ES256", x5c }),
      part({
        ...{ iss: TokenServer.issuer, sub: this.login.username, aud: TokenServer.service, jti: String(this.scopes.length) },
        ...{ iat: now, nbf: now - 10, exp: now + 300, access },
      }),
    ].join(".");
    const signature = sign("sha256", Buffer.from(content), { key: this.signer.key, dsaEncoding: "ieee-p1363" });
    return `${content}.${signature.toString("base64url")}`;
  }
}

import * as fs from "fs";
import * as net from "net";
import * as os from "os";
import * as path from "path";
import { pipeline } from "stream";

/** A way out of a separate network: a SOCKS proxy (RFC 1928, by host name and without a login) at a Unix socket. */
export class SocksProxy {
  private readonly server = net.createServer((client) => this.greet(client));

  private constructor(readonly folder: string) {}

  get socket(): string {
    return path.join(this.folder, "proxy");
  }

  static async start(): Promise<SocksProxy> {
    const proxy = new SocksProxy(fs.mkdtempSync(path.join(os.tmpdir(), "way-out-")));
    await new Promise<void>((resolve) => proxy.server.listen(proxy.socket, resolve));
    return proxy;
  }

  /** A client says which logins it knows, and then where it wants to go. */
  private greet(client: net.Socket): void {
    client.on("error", () => client.destroy());
    client.once("data", () => {
      client.write(Buffer.of(5, 0));
      client.once("data", (wish) => this.connect(client, wish));
    });
  }

  private connect(client: net.Socket, wish: Buffer): void {
    const end = 5 + (wish[4] ?? 0);
    const server = net.connect(wish.readUInt16BE(end), wish.toString("ascii", 5, end));
    server.once("connect", () => client.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)));
    pipeline(client, server, client, () => client.destroy());
  }

  dispose(): void {
    this.server.close();
    fs.rmSync(this.folder, { recursive: true });
  }
}

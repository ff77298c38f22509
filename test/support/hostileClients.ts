/**
 * A program of hostile clients that have no login: node --require components/loader/index.cjs test/support/hostileClients.ts HOST PORT
 * SECONDS CONNECTIONS. It is a separate process, so that only the server slows down the normal clients beside it. It ends by
 * itself, and prints as JSON how many clients of each kind there were.
 */
import * as http2 from "http2";
import * as net from "net";
import * as tls from "tls";
import { isLoopback } from "../../components/checks/hosts";

const [host = "", port = "", seconds = "", connections = ""] = process.argv.slice(2);
// Only this machine may be put under load.
if (!isLoopback(host)) {
  throw new Error(`${host} is not a loopback address`);
}
const end = Date.now() + Number(seconds) * 1000;
const going = (): boolean => Date.now() < end;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How a client speaks; a deaf one reads nothing that the server sends. */
type Speech = "TLS" | "no TLS" | "deaf HTTP/2";

/** A connection whose certificate is not verified. */
class Connection {
  readonly ready: Promise<boolean>;
  readonly closed: Promise<void>;
  private readonly socket: net.Socket;
  private open = true;

  constructor(speech: Speech) {
    const address = { host, port: Number(port) };
    const deaf = speech === "deaf HTTP/2";
    this.socket =
      speech === "no TLS"
        ? net.connect(address)
        : tls.connect({ ...address, rejectUnauthorized: false, ...(deaf ? { ALPNProtocols: ["h2"] } : {}) });
    this.socket.on("error", () => undefined);
    // What the server sends is ignored too.
    if (!deaf) {
      this.socket.resume();
    }
    this.closed = new Promise((resolve) => {
      this.socket.on("close", () => {
        this.open = false;
        resolve();
      });
    });
    const connected = new Promise<boolean>((resolve) =>
      this.socket.once(speech === "no TLS" ? "connect" : "secureConnect", () => resolve(true)),
    );
    this.ready = Promise.race([connected, this.closed.then(() => false)]);
  }

  /** Sends as fast as the server reads; false when the connection or the time has ended. */
  async send(bytes: string | Buffer): Promise<boolean> {
    if (this.open && going() && !this.socket.write(bytes)) {
      const drained = new Promise<void>((resolve) => this.socket.once("drain", resolve));
      await Promise.race([drained, this.closed, pause(1000)]);
    }
    return this.open && going();
  }

  /** Sends one byte per second. */
  async drip(): Promise<void> {
    while (await this.send("x")) {
      await pause(1000);
    }
  }

  /** Closes its own direction, and goes on listening. */
  halfClose(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A client that is disconnected comes back, but not at once. */
async function again(kind: string, visit: () => Promise<void>): Promise<void> {
  while (going()) {
    visits[kind] = (visits[kind] ?? 0) + 1;
    await visit();
    await pause(200);
  }
}

async function connected(speech: Speech, visit: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = new Connection(speech);
  if (await connection.ready) {
    await visit(connection);
  }
  connection.destroy();
}

async function inSession(
  settings: http2.Settings,
  visit: (session: http2.ClientHttp2Session, usable: () => boolean) => Promise<void>,
): Promise<void> {
  const session = http2.connect(`https://${host}:${port}`, { rejectUnauthorized: false, settings });
  session.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  await Promise.race([new Promise((resolve) => session.once("connect", resolve)), closed]);
  await visit(session, () => going() && !session.destroyed && !session.closed);
  session.destroy();
  await closed;
}

const path = "/v2/hostile/app/blobs/uploads/";
const piece = Buffer.alloc(64 << 10, "x");

/** Sends pieces of a body until its length is reached. */
async function pieces(connection: Connection, bytes: number, framed = (bytes: Buffer): Buffer => bytes): Promise<void> {
  for (let sent = 0; sent < bytes && (await connection.send(framed(piece))); sent += piece.length);
}

const untilClosed = (connection: Connection): Promise<void> =>
  Promise.race([connection.closed, pause(Math.max(0, end - Date.now()))]);

const head = (method: string, headers: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...headers, "", ""].join("\r\n");

/** A frame of HTTP/2 (RFC 9113, section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

const named = (field: number, value: string): Buffer => Buffer.concat([Buffer.from([field, value.length]), Buffer.from(value)]);

/** Begins a connection whose streams have no window. */
const opening = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))]);

/** A request built from fields of HPACK's table: GET, https, a path and an authority. */
const request = (stream: number, path: string): Buffer =>
  frame(1, 5, stream, Buffer.concat([Buffer.from([0x82, 0x87]), named(4, path), named(1, host)]));

/** Asks for something longer than the buffer of Go's server. */
const standingRequest = Buffer.concat([opening, request(1, "/ui/style.css")]);

/** Sends as many requests at once as a connection may, for a path that the server answers however busy it is. */
const burst = Buffer.concat([opening, ...Array.from({ length: 100 }, (_, each) => request(2 * each + 1, "/livez"))]);

const ping = frame(6, 0, 0, Buffer.alloc(8));
const pings = Buffer.concat(Array.from({ length: 500 }, () => ping));

const kinds = {
  // These two make up the number of connections.
  silent: () => connected("TLS", untilClosed),
  "no TLS": () => connected("no TLS", untilClosed),
  "slow headers": () =>
    connected("TLS", async (connection) => {
      await connection.send(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `);
      await connection.drip();
    }),
  "slow body": () =>
    connected("TLS", async (connection) => {
      await connection.send(head("POST", ["Content-Type: application/octet-stream", "Content-Length: 1000000000"]));
      await connection.drip();
    }),
  "endless body": () =>
    connected("TLS", async (connection) => {
      await connection.send(head("POST", ["Content-Type: application/octet-stream", "Transfer-Encoding: chunked"]));
      const size = Buffer.from(`${piece.length.toString(16)}\r\n`);
      await pieces(connection, Infinity, (bytes) => Buffer.concat([size, bytes, Buffer.from("\r\n")]));
    }),
  "form body": () =>
    connected("TLS", async (connection) => {
      const start = Buffer.from('--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n');
      const length = start.length + (60 << 20) + 9;
      await connection.send(head("POST", ["Content-Type: multipart/form-data; boundary=b", `Content-Length: ${length}`]));
      await connection.send(start);
      await pieces(connection, 60 << 20);
      await connection.send("\r\n--b--\r\n");
      await untilClosed(connection);
    }),
  "giant header": () =>
    connected("TLS", async (connection) => {
      await connection.send(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nX-Giant: `);
      await pieces(connection, 64 << 20);
    }),
  "half-closed": () =>
    connected("TLS", async (connection) => {
      await connection.send(head("POST", ["Content-Length: 1000000"]));
      connection.halfClose();
      await untilClosed(connection);
    }),
  "HTTP/2 resets": () =>
    inSession({}, async (session, usable) => {
      while (usable()) {
        for (let each = 0; each < 50 && usable(); each++) {
          const stream = session.request({ ":method": "POST", ":path": path, "content-type": "multipart/form-data; boundary=b" });
          stream.on("error", () => undefined);
          stream.write("x");
          stream.close(http2.constants.NGHTTP2_CANCEL);
        }
        await pause(20);
      }
    }),
  "HTTP/2 pings": () =>
    connected("deaf HTTP/2", async (connection) => {
      await connection.send(standingRequest);
      // The kernel holds some 11,000 answers for both sides. After 10,000 more, Go's server ends the connection.
      for (let sent = 0; sent < 20_000 && (await connection.send(pings)); sent += 500);
      await untilClosed(connection);
    }),
  "HTTP/2 bursts": () =>
    connected("deaf HTTP/2", async (connection) => {
      await connection.send(burst);
      await untilClosed(connection);
    }),
  "HTTP/2 answers that nobody takes": () =>
    inSession({ initialWindowSize: 0 }, async (session, usable) => {
      for (let each = 0; each < 100 && usable(); each++) {
        // The handler of the second is stuck, because its answer is longer than the buffer of Go's server.
        session.request({ ":path": each % 2 ? "/v2/" : "/ui/style.css" }).on("error", () => undefined);
      }
      while (usable()) {
        await pause(500);
      }
    }),
};

/** The number of clients of a kind at once. */
function crowd(kind: string): number {
  switch (kind) {
    case "silent":
      return Math.round(Number(connections) * 0.6);
    case "no TLS":
      return Math.round(Number(connections) * 0.3);
    case "slow headers":
    case "slow body":
    case "half-closed":
    case "HTTP/2 answers that nobody takes":
      return Math.round(Number(connections) * 0.03);
    case "HTTP/2 pings":
    case "HTTP/2 bursts":
      return Math.round(Number(connections) * 0.07);
    case "form body":
      return 24;
    default:
      return 6;
  }
}

const visits: Record<string, number> = {};

async function main(): Promise<void> {
  let clients = 0;
  // The kinds with the fewest clients start first.
  for (const [kind, visit] of Object.entries(kinds).sort(([a], [b]) => crowd(a) - crowd(b))) {
    for (let each = 0; each < crowd(kind) && going(); each++) {
      void again(kind, visit);
      if (++clients % 50 === 0) {
        await pause(20);
      }
    }
  }
  await pause(end - Date.now());
  console.log(JSON.stringify(visits));
  process.exit();
}

void main();

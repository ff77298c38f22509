/* The used parts of packages that come without types. The published ones for dockerode bring the types of another Node.js with them. */

declare module "dockerode" {
  import { Agent } from "http";

  namespace Docker {
    /** Where an engine is, and how it is reached. */
    interface Options {
      socketPath?: string;
      protocol?: "http" | "https";
      host?: string;
      port?: number;
      ca?: string;
      cert?: string;
      key?: string;
      agent?: Agent;
    }

    interface Request {
      method: string;
      path: string;
      headers?: Record<string, string>;
      options?: { _query: object; _body: unknown };
      /** A body that is no JSON. */
      file?: NodeJS.ReadableStream | Buffer;
      isStream?: boolean;
      hijack?: boolean;
      statusCodes: Record<number, true>;
      /** Sent as `X-Registry-Auth`. */
      authconfig?: object;
    }

    /** A refusal of the engine. */
    interface Refusal extends Error {
      statusCode?: number;
      json?: { message?: string };
    }
  }

  class Docker {
    constructor(options: Docker.Options);
    modem: {
      dial(request: Docker.Request, callback: (error: Docker.Refusal | null, answer: unknown) => void): void;
    };
  }
  export = Docker;
}

declare module "tar-stream" {
  import { Readable } from "stream";

  interface Pack extends Readable {
    entry(header: { name: string; mode: number }, content: string): void;
    finalize(): void;
  }
  export function pack(): Pack;
}

declare module "tar-fs" {
  import { Readable } from "stream";

  interface Header {
    name: string;
    uid: number;
    gid: number;
  }
  interface Options {
    ignore(file: string): boolean;
    map(header: Header): Header;
    umask: number;
    strict: boolean;
  }
  export function pack(folder: string, options: Options): Readable;
}

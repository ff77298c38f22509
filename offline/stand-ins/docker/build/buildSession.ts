import { randomUUID } from "crypto";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Engine } from "../engine";
import { Login } from "../logins";

/** The messages that BuildKit asks for a login with. */
const protocol = loadSync(require.resolve("dockerode/lib/proto/auth.proto"));
const authentication = protocol["moby.filesync.v1.Auth"] as grpc.ServiceDefinition;

/**
 * Runs a build with a session by which BuildKit can ask for the logins of registries that it pulls from. dockerode's own session gives
 * one login to every registry.
 */
export async function withSession<T>(
  engine: Engine,
  loginFor: (registry: string) => Login | undefined,
  build: (session: string) => Promise<T>,
): Promise<T> {
  const id = randomUUID();
  const connection = await engine.hijack("/session", {
    Upgrade: "h2c",
    "X-Docker-Expose-Session-Uuid": id,
    "X-Docker-Expose-Session-Name": "container-registry",
  });
  const server = new grpc.Server();
  server.addService(authentication, {
    Credentials: (call: grpc.ServerUnaryCall<{ Host: string }, object>, callback: grpc.sendUnaryData<object>) => {
      const login = loginFor(call.request.Host);
      callback(null, login === undefined ? {} : { Username: login.username, Secret: login.password });
    },
  });
  server.createConnectionInjector(grpc.ServerCredentials.createInsecure()).injectConnection(connection);
  try {
    return await build(id);
  } finally {
    // First, as to end a session on what is no socket, as over ssh, ends the whole process.
    if (!connection.closed) {
      await new Promise((resolve) => connection.once("close", resolve).destroy());
    }
    server.forceShutdown();
  }
}

import { dockerCommand, dockerCommandWith, EngineAddress, printedBy, trialRun } from "./engine";
import { failure } from "../checks/failure";
import { certificateFile } from "../render/configuration";

/**
 * Lets the server's image try a certificate and its key before a container called `writer` hands them over: with a bad pair, a running
 * server would keep the old one and then fail to restart. A pair that is handed over already is not tried.
 */
export async function checkCertificate(engine: EngineAddress, writer: string, imageId: string, pem: string): Promise<void> {
  const written = await dockerCommand(engine, "cp", `${writer}:${certificateFile}`, "-").catch(() => "");
  if (written.includes(pem)) {
    return;
  }
  try {
    await dockerCommandWith(pem, engine, ...trialRun, "--network", "none", "--interactive", imageId, "check-certificate");
  } catch (error) {
    throw failure(`tls: the server could not use this certificate, so it keeps what it has: ${printedBy(error)}`);
  }
}

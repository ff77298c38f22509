import { run } from "./run";

/** The address under which containers reach this machine, and from which it reaches them. */
export async function bridgeAddress(): Promise<string> {
  const format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}\n{{end}}";
  const [gateway = "", subnet = ""] = (await run("docker", ["network", "inspect", "bridge", "--format", format])).split(/[ \n]/);
  // Engines don't always report the gateway: then it is the network's first address.
  return gateway || subnet.replace(/\d+\/\d+$/, "1");
}

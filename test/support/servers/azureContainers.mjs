// Makes containers that are missing: azureContainers.mjs SERVICE_URL CONTAINER...; the account's key is in ACCOUNT_KEY.
import { createHmac } from "node:crypto";

const [serviceUrl, ...containers] = process.argv.slice(2);
const account = new URL(serviceUrl).pathname.slice(1);

for (const container of containers) {
  const headers = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-12-02" };
  // The emulator has the account in the path, which makes it stand twice in the resource that is signed.
  const resource = `/${account}/${account}/${container}\nrestype:container`;
  const lines = ["PUT", ...Array(11).fill(""), ...Object.entries(headers).map(([name, value]) => `${name}:${value}`), resource];
  const signature = createHmac("sha256", Buffer.from(process.env.ACCOUNT_KEY, "base64"))
    .update(lines.join("\n"))
    .digest("base64");
  const answer = await fetch(`${serviceUrl}/${container}?restype=container`, {
    method: "PUT",
    headers: { ...headers, authorization: `SharedKey ${account}:${signature}` },
  });
  // 409: it is there already.
  if (!answer.ok && answer.status !== 409) {
    console.error(`container ${container}: ${answer.status} ${await answer.text()}`);
    process.exit(1);
  }
}

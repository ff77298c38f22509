// Updates the services of a Swarm when the tag that they run moves: a receiver for the registry's notifications.
// A service says by its label `redeploy` which tag it follows. Environment: REGISTRY is the output repositoryPrefix, TOKEN_FILE has
// the bearer token that the registry sends, ADDRESS and PORT are where it does. Needs the docker command, on a manager.
import { execFile } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { promisify } from "node:util";

const { REGISTRY, TOKEN_FILE, ADDRESS = "127.0.0.1", PORT = "8080" } = process.env;
if (!REGISTRY || !TOKEN_FILE) {
  throw new Error("set REGISTRY and TOKEN_FILE");
}
const expected = Buffer.from(`Bearer ${readFileSync(TOKEN_FILE, "utf8").trim()}`);
const mostBytes = 4 << 20;
const docker = async (...args) => (await promisify(execFile)("docker", args)).stdout.trim();

// What the tags that services run named, and when it was pushed. Each server of a registry sends its events by itself, and sends one
// again that was not taken within ten seconds: an older one may come after a newer one, and one that was done may come again.
const done = new Map();

async function redeploy({ repository, tag, digest }, at) {
  const key = `${repository}:${tag}`;
  const last = done.get(key) ?? { at: 0 };
  if (at < last.at) {
    console.log(`${key} was pushed again since it named ${digest}`);
    return;
  }
  if (at === last.at && digest === last.digest) {
    return;
  }
  const names = await docker("service", "ls", "--filter", `label=redeploy=${repository}:${tag}`, "--format", "{{.Name}}");
  for (const name of names.split("\n").filter((each) => each !== "")) {
    const image = `${REGISTRY}/${repository}@${digest}`;
    // By its digest every node runs the same image, whatever happens to the tag meanwhile.
    await docker("service", "update", "--detach", "--quiet", "--with-registry-auth", "--image", image, name);
    console.log(`${name} runs ${image}, which is ${tag}`);
  }
  done.set(key, { at, digest });
}

function isKnown(authorization = "") {
  const given = Buffer.from(authorization);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function answer(request) {
  if (!isKnown(request.headers.authorization)) {
    return 401;
  }
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > mostBytes) {
      return 413;
    }
  }
  const { events } = JSON.parse(body);
  await inTurn(async () => {
    for (const { action, target, timestamp } of events) {
      if (action === "push" && target.tag && target.digest) {
        await redeploy(target, Date.parse(timestamp));
      }
    }
  });
  return 200;
}

// One after the other, so that the newest is what runs in the end.
let last = Promise.resolve();
function inTurn(work) {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}

createServer((request, response) => {
  answer(request).then(
    (status) => response.writeHead(status).end(),
    (error) => {
      console.error(error);
      // The registry asks again later.
      response.writeHead(503).end();
    },
  );
}).listen(Number(PORT), ADDRESS, () => console.log(`listening on ${ADDRESS}:${PORT}`));

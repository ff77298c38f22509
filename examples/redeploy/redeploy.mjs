// Updates the services of a Swarm when the tag that they run moves: a receiver for the registry's notifications.
// A service says by its label `redeploy` which tag it follows. Environment: REGISTRY is the output repositoryPrefix, TOKEN_FILE has
// the bearer token that the registry sends, ADDRESS and PORT are where it does, RETRY is after how many seconds a service is tried again,
// PATIENCE how many a docker command may take: fewer than the ten in which the registry wants its answer. Needs the docker command, on a manager.
import { execFile } from "node:child_process";
import { timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const { REGISTRY, TOKEN_FILE, ADDRESS = "127.0.0.1", PORT = "8080", RETRY = "60", PATIENCE = "8" } = process.env;
if (!REGISTRY || !TOKEN_FILE) {
  throw new Error("set REGISTRY and TOKEN_FILE");
}
const expected = Buffer.from(`Bearer ${readFileSync(TOKEN_FILE, "utf8").trim()}`);
const mostBytes = 4 << 20;
// A command whose engine hangs would keep all others waiting. One that is killed is tried again.
const limits = { timeout: Number(PATIENCE) * 1000, killSignal: "SIGKILL" };
const docker = async (...args) => (await promisify(execFile)("docker", args, limits)).stdout.trim();

// What tags named last, and when that was pushed. Each server of a registry sends its events by itself, and sends one again that was
// not taken within ten seconds: an older one may come after a newer one, and one that was done may come again. It sends none that is
// older than a week.
const pushed = new Map();
const longest = 8 * 24 * 3600 * 1000;

async function note({ repository, tag, digest }, at) {
  const key = `${repository}:${tag}`;
  const last = pushed.get(key);
  if (last && at < last.at) {
    console.log(`${key} was pushed again since it named ${digest}`);
    return;
  }
  if (at !== last?.at || digest !== last.digest) {
    pushed.set(key, {
      key,
      at,
      digest,
      image: `${REGISTRY}/${repository}@${digest}`,
      updated: new Set(),
      over: new Set(),
      isDone: false,
    });
  }
  await redeploy(pushed.get(key));
}

// By its digest every node runs the same image, whatever happens to the tag meanwhile.
async function update(push, name) {
  await docker("service", "update", "--detach", "--quiet", "--with-registry-auth", "--image", push.image, name);
  push.updated.add(name);
  console.log(`${name} is being updated to ${push.image}, which is ${push.key}`);
}

// Swarm may take longer than the registry waits for an answer, and go back to what ran before. That is not tried again: an image
// that does not run would not run then.
async function lookAt(push, name) {
  const { Spec, UpdateStatus } = JSON.parse(await docker("service", "inspect", "--format", "{{json .}}", name));
  const state = UpdateStatus?.State ?? "completed";
  if (state === "updating" || state === "rollback_started") {
    return;
  }
  push.over.add(name);
  if (state !== "completed") {
    console.error(`${name} is not updated to ${push.image}: ${state}, ${UpdateStatus.Message}`);
  } else if (Spec.TaskTemplate.ContainerSpec.Image !== push.image) {
    console.error(`${name} is not updated to ${push.image}: somebody else has updated it since`);
  } else {
    console.log(`${name} runs ${push.image}, which is ${push.key}`);
  }
}

// A service that can't be updated, as its network is gone, keeps no other from it. It is tried again until its tag moves.
async function redeploy(push) {
  if (push.isDone) {
    return;
  }
  const names = await docker("service", "ls", "--filter", `label=redeploy=${push.key}`, "--format", "{{.Name}}");
  const left = names.split("\n").filter((each) => each !== "" && !push.over.has(each));
  for (const name of left) {
    try {
      await (push.updated.has(name) ? lookAt : update)(push, name);
    } catch (error) {
      console.error(`${name} is not known to run ${push.image}, and looked after again later: ${error.message}`);
    }
  }
  push.isDone = left.every((name) => push.over.has(name));
}

async function tryAgain() {
  for (const push of pushed.values()) {
    if (push.isDone && Date.now() - push.at > longest) {
      pushed.delete(push.key);
    }
    await redeploy(push);
  }
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
        await note(target, Date.parse(timestamp));
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

for (;;) {
  await setTimeout(Number(RETRY) * 1000);
  await inTurn(tryAgain).catch((error) => console.error(error));
}

// What fake-gcs-server lacks of Google Cloud Storage: HTTPS under Google's names, a token endpoint, refusals, and a condition on
// what is copied. Accounts are writer.json and reader.json in DIR, made when missing; a reader may only read.
//
// gcsFront.mjs DIR ADDRESS CERTIFICATE KEY PORT_OF_FAKE_GCS_SERVER
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  timingSafeEqual,
  verify,
} from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as path from "node:path";

const [directory, address, certificate, key, backendPort] = process.argv.slice(2);

function loadAccount(role) {
  const file = path.join(directory, `${role}.json`);
  if (!fs.existsSync(file)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const account = {
      type: "service_account",
      project_id: "test",
      private_key_id: role,
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      client_email: `${role}@test.iam.gserviceaccount.com`,
      client_id: "1",
      token_uri: "https://oauth2.googleapis.com/token",
    };
    fs.writeFileSync(file, JSON.stringify(account, null, 2), { mode: 0o600 });
  }
  const account = JSON.parse(fs.readFileSync(file, "utf8"));
  return {
    role,
    email: account.client_email,
    privateKey: account.private_key,
    publicKey: createPublicKey(createPrivateKey(account.private_key)),
  };
}

const accounts = ["writer", "reader"].map(loadAccount);

/** A token says whose it is and survives a restart of this server, as Google's would. */
function tokenOf(account) {
  return `${account.role}.${createHmac("sha256", account.privateKey).update("token").digest("hex")}`;
}

function accountOfToken(token) {
  return accounts.find((account) => {
    const expected = Buffer.from(tokenOf(account));
    return token.length === expected.length && timingSafeEqual(Buffer.from(token), expected);
  });
}

/** The account that signed a JSON Web Token. */
function accountOfAssertion(assertion) {
  const [header, claims, signature] = assertion.split(".");
  const issuer = JSON.parse(Buffer.from(claims ?? "", "base64url").toString() || "{}").iss;
  return accounts.find(
    ({ email, publicKey }) =>
      email === issuer &&
      verify("sha256", Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature ?? "", "base64url")),
  );
}

/** The account that signed a URL, as the registry does for redirects. */
function accountOfUrl(request, url) {
  const { GoogleAccessId: email, Expires: expires, Signature: signature } = Object.fromEntries(url.searchParams);
  if (email === undefined || Number(expires) * 1000 < Date.now()) {
    return undefined;
  }
  const signed = `${request.method}\n\n\n${expires}\n${url.pathname}`;
  return accounts.find(
    (account) =>
      account.email === email && verify("sha256", Buffer.from(signed), account.publicKey, Buffer.from(signature, "base64")),
  );
}

function answer(response, status, body) {
  response
    .writeHead(status, { "content-type": "application/json", "x-guploader-uploadid": randomUUID() })
    .end(JSON.stringify(body));
}

function refuse(response, code, reason, message) {
  answer(response, code, { error: { code, message, errors: [{ message, domain: "global", reason }] } });
}

async function giveToken(request, response) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
  }
  const account = accountOfAssertion(new URLSearchParams(body).get("assertion") ?? "");
  if (account === undefined) {
    answer(response, 400, { error: "invalid_grant", error_description: "Invalid JWT Signature." });
    return;
  }
  answer(response, 200, { access_token: tokenOf(account), token_type: "Bearer", expires_in: 3599 });
}

function forward(request, response) {
  const onward = http.request(
    {
      host: "127.0.0.1",
      port: backendPort,
      method: request.method,
      // It keeps one generation of each object, and has no other one to copy.
      path: request.url.replace("ifSourceGenerationMatch=", "sourceGeneration="),
      // With the last one it sends clients that begin an upload on to https.
      headers: { ...request.headers, host: "storage.googleapis.com", "x-forwarded-proto": "https" },
    },
    (back) => {
      // Google numbers its answers.
      response.writeHead(back.statusCode, { ...back.headers, "x-guploader-uploadid": randomUUID() });
      back.pipe(response);
    },
  );
  onward.on("error", () =>
    response.headersSent ? response.destroy() : refuse(response, 503, "backendError", "the storage server is down"),
  );
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

async function serve(request, response) {
  const url = new URL(request.url, "https://storage.googleapis.com");
  if (url.pathname === "/ready") {
    answer(response, 200, {});
    return;
  }
  if (url.pathname === "/token") {
    await giveToken(request, response);
    return;
  }
  const [, bearer] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
  const account =
    bearer === undefined
      ? accountOfUrl(request, url)
      : (accountOfToken(bearer) ?? (bearer.startsWith("ey") ? accountOfAssertion(bearer) : undefined));
  if (account === undefined) {
    refuse(response, 401, "authError", "Invalid Credentials");
  } else if (account.role === "reader" && request.method !== "GET" && request.method !== "HEAD") {
    refuse(
      response,
      403,
      "forbidden",
      `${account.email} does not have storage.objects.create access to the Google Cloud Storage object.`,
    );
  } else {
    forward(request, response);
  }
}

const server = https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, (request, response) => {
  serve(request, response).catch((error) => refuse(response, 500, "backendError", String(error)));
});
server.listen(443, address);
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => process.exit());
}

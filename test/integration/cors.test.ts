import { CleanUp } from "../support/cleanUp";
import { Answer, request } from "../support/clients";
import { pushImage, randomImage } from "../support/images";
import { RegistryOutputs, TestStack } from "../support/testStack";

/** A registry for two pages of other sites. */
describe("a page of another site", () => {
  const cleanUp = new CleanUp();
  const [page, other] = ["https://ui.example.com", "http://localhost:8080"];
  let outputs: RegistryOutputs;

  beforeAll(async () => {
    outputs = await cleanUp.add(await TestStack.create({ cors: JSON.stringify({ allowedOrigins: [page, other] }) })).up();
    await pushImage(outputs, "team/app", "latest", randomImage());
  });

  /** What a browser asks before it sends a request. */
  function preflight(origin: string): Promise<Answer> {
    const headers = {
      Origin: origin,
      "Access-Control-Request-Method": "DELETE",
      "Access-Control-Request-Headers": "accept,authorization",
    };
    return request(outputs, "/v2/team/app/manifests/latest", { method: "OPTIONS", headers, login: null });
  }

  it.each([page, other])("may use the registry: %s", async (origin) => {
    const asked = await preflight(origin);
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": origin,
      vary: "Origin",
      "access-control-max-age": "600",
    });
    expect(String(asked.headers["access-control-allow-methods"])).toContain("DELETE");
    expect(String(asked.headers["access-control-allow-headers"])).toMatch(/\bAccept, Authorization\b/);
    const answer = await request(outputs, "/v2/team/app/manifests/latest", { headers: { Origin: origin } });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "access-control-allow-origin": origin, vary: "Origin" });
    const exposed = String(answer.headers["access-control-expose-headers"]).toLowerCase().split(", ");
    expect(exposed).toEqual(expect.arrayContaining(["docker-content-digest", "link", "location", "www-authenticate"]));
    expect(answer.headers["docker-content-digest"]).toBeDefined();
    expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
  });

  it("may read why it is refused", async () => {
    const refused = await request(outputs, "/v2/", { headers: { Origin: page }, login: null });
    expect(refused.status).toBe(401);
    expect(refused.headers["access-control-allow-origin"]).toBe(page);
  });

  it("may not, if it is not named", async () => {
    const asked = await preflight("https://evil.example.com");
    expect(asked.status).toBe(401);
    expect(asked.headers["access-control-allow-origin"]).toBeUndefined();
    const answer = await request(outputs, "/v2/", { headers: { Origin: "https://evil.example.com" } });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

/* Docker Hub has a name in those of its images, another one for its API, and a third one by which logins are kept. */

/** What images' names begin with. The name of its server is to the docker command one like any other. */
const imageNames: readonly string[] = ["docker.io", "index.docker.io"];

/** The host of its API. */
export const hubApi = "registry-1.docker.io";

/** Whether images of that host are Docker Hub's to the docker command. */
export function isHubName(host: string): boolean {
  return imageNames.includes(host);
}

/** Where the API is of what images' names begin with. */
export function apiHost(host: string): string {
  return isHubName(host) ? hubApi : host;
}

/** What images' names begin with where the API is. */
export function nameOfApi(host: string): string {
  return host === hubApi ? "docker.io" : host;
}

/** What the docker command looks a login up by: the host, but for Docker Hub the address of its first API. */
export function loginKey(host: string): string {
  return isHubName(host) ? "https://index.docker.io/v1/" : host;
}

/** Whether a URL leads to Docker Hub, by whichever of its names. */
export function leadsToHub(url: string): boolean {
  return /^https?:\/\/([^/]+\.)?docker\.io(:\d+)?\/?$/i.test(url);
}

/* Docker Hub has one name in the names of its images, another one for its API, and a third one under which logins are stored. */

/** What its images' names begin with. To the docker command, the name of its server is a host like any other. */
const imageNames: readonly string[] = ["docker.io", "index.docker.io"];

/** The host of its API. */
export const hubApi = "registry-1.docker.io";

/** Whether the docker command takes images of that host for Docker Hub's. */
export function isHubName(host: string): boolean {
  return imageNames.includes(host);
}

/** The host of the API, for the host that images' names begin with. */
export function apiHost(host: string): string {
  return isHubName(host) ? hubApi : host;
}

/** The host that images' names begin with, for the host of the API. */
export function nameOfApi(host: string): string {
  return host === hubApi ? "docker.io" : host;
}

/** The key under which the docker command stores a login: the host, or for Docker Hub the address of its first API. */
export function loginKey(host: string): string {
  return isHubName(host) ? "https://index.docker.io/v1/" : host;
}

/** Whether a URL leads to Docker Hub, by whichever of its names. */
export function leadsToHub(url: string): boolean {
  return /^https?:\/\/([^/]+\.)?docker\.io(:\d+)?\/?$/i.test(url);
}

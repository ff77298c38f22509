import { Cors } from "../args/registry";

/** The methods of the distribution specification. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The headers that clients of the API send beyond those that every page may send. */
const requestHeaders = [
  ...["Accept", "Authorization", "Cache-Control", "Content-Range", "Content-Type", "If-Modified-Since", "If-None-Match"],
  ...["Range"],
];

/** The headers of a response that a page may read beyond its body, type and length. */
const answerHeaders = [
  ...["Accept-Ranges", "Content-Range", "Docker-Content-Digest", "Docker-Distribution-Api-Version", "Docker-Upload-Uuid", "ETag"],
  ...["Link", "Location", "OCI-Filters-Applied", "OCI-Subject", "OCI-Tag", "Range", "Retry-After", "WWW-Authenticate"],
];

/** The headers with which the server says which pages may use it. */
export function corsHeaders({ allowedOrigins, allowCredentials = false, maxAgeSeconds = 600 }: Cors): Record<string, string[]> {
  return {
    // The server names the one that asks.
    "Access-Control-Allow-Origin": allowedOrigins,
    "Access-Control-Allow-Methods": [methods.join(", ")],
    "Access-Control-Allow-Headers": [requestHeaders.join(", ")],
    "Access-Control-Expose-Headers": [answerHeaders.join(", ")],
    "Access-Control-Max-Age": [String(maxAgeSeconds)],
    ...(allowCredentials ? { "Access-Control-Allow-Credentials": ["true"] } : {}),
  };
}

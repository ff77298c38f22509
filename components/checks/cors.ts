import { Cors } from "../args/registry";
import { Problem, shown } from "./problems";
import { canParse, distinct, when, wholeNumbers } from "./rules";

/** No browser caches a permission for longer. */
const longestMaxAge = 86_400;

/** A missing list was reported already. */
export function corsProblems(cors: Partial<Cors> | undefined, image: string): Problem[] {
  if (cors === undefined) {
    return [];
  }
  const { allowedOrigins = [], allowCredentials, maxAgeSeconds } = cors;
  const everybody = allowedOrigins.indexOf("*");
  return [
    ...when(
      image !== "bundled",
      "cors",
      "is a feature of the bundled server; the stock registry asks for a login where browsers send none. Use image bundled",
    ),
    ...when(allowedOrigins.length === 0, "cors.allowedOrigins", "is empty; name origins, or leave out cors"),
    ...allowedOrigins.flatMap((origin, index) =>
      when(
        origin !== "*" && !isOrigin(origin),
        `cors.allowedOrigins[${index}]`,
        `${shown(origin)} is not allowed; give the origin of a page as browsers name it, as https://ui.example.com, without path and usual port, or * for all`,
      ),
    ),
    ...distinct("cors.", { allowedOrigins }),
    ...when(
      everybody >= 0 && allowedOrigins.length > 1,
      `cors.allowedOrigins[${everybody}]`,
      '"*" stands for all origins; remove it or the others',
    ),
    ...when(
      everybody >= 0 && allowCredentials === true,
      "cors.allowCredentials",
      "true would let every page on the internet act as whoever is logged in, and no browser takes it with *; name the origins",
    ),
    ...wholeNumbers("cors.", { maxAgeSeconds }, 0, longestMaxAge),
  ];
}

/** Whether a text is exactly what a browser sends as the origin of a page. */
function isOrigin(origin: string): boolean {
  return /^https?:/.test(origin) && canParse(origin) && new URL(origin).origin === origin;
}

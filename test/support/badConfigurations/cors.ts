import { BadConfiguration } from "./badConfiguration";

export const badCors: BadConfiguration[] = [
  {
    title: "pages that no browser names so",
    config: {
      cors: { allowedOrigins: ["https://ui.example.com/", "HTTPS://ui.example.com", "http://ui:80", "ui.example.com", "null"] },
    },
    problems: ["https://ui.example.com/", "HTTPS://ui.example.com", "http://ui:80", "ui.example.com", "null"].map(
      (origin, index) =>
        `cors.allowedOrigins[${index}]: "${origin}" is not allowed; give the origin of a page as browsers name it, as https://ui.example.com, without path and usual port, or * for all`,
    ),
  },
  {
    title: "every page with the browser's login, and another page",
    config: { cors: { allowedOrigins: ["*", "https://ui.example.com"], allowCredentials: true, maxAgeSeconds: 86_401 } },
    problems: [
      'cors.allowedOrigins[0]: "*" stands for all origins; remove it or the others',
      "cors.allowCredentials: true would let every page on the internet act as whoever is logged in, and no browser takes it with *; name the origins",
      "cors.maxAgeSeconds: 86401 is not allowed; give a whole number from 0 to 86400",
    ],
  },
  {
    title: "no page",
    config: { cors: { allowedOrigins: [] } },
    problems: ["cors.allowedOrigins: is empty; name origins, or leave out cors"],
  },
  {
    title: "a page twice, of the stock registry",
    config: {
      cors: { allowedOrigins: ["http://localhost:8080", "http://localhost:8080"] },
      image: `registry@sha256:${"0".repeat(64)}`,
    },
    problems: [
      "cors: is a feature of the bundled server; the stock registry asks for a login where browsers send none. Use image bundled",
      'cors.allowedOrigins[1]: "http://localhost:8080" is in the list already',
    ],
  },
];

import { Notification, NotifiedAction } from "../../args/notifications";
import { caProblems } from "../certificates";
import { isSentInClear } from "../hosts";
import { knownNow } from "../inputs";
import { Problem } from "../problems";
import { repositoriesProblems } from "../repositories";
import { canParse, distinct, isUrl, oneOf, texts, when } from "../rules";

const namePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** A header's name by RFC 9110. */
const headerPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Headers that say what the request is, and not who sends it. */
const taken = /^(host|content-.*|transfer-encoding|connection|expect|upgrade|trailer|te)$/i;

/** All that is wrong with the endpoints to notify. No message contains a URL or the value of a header: they may be secret. */
export function notificationsProblems(
  notifications: readonly Notification[],
  { image, allowInsecure }: { image: string; allowInsecure: boolean },
): Problem[] {
  if (notifications.length > 0 && image !== "bundled") {
    return [
      {
        key: "notifications",
        message: "are a feature of the bundled server; the stock registry forgets events when it stops. Use image bundled",
      },
    ];
  }
  const names = notifications.map(({ name }) => name);
  return [
    ...notifications.flatMap((each, index) => endpointProblems(`notifications[${index}]`, each, allowInsecure)),
    ...distinct("", { notifications: names }),
  ];
}

function endpointProblems(key: string, endpoint: Notification, allowInsecure: boolean): Problem[] {
  const { name, headers = {}, actions = [], repositories, caCertificates } = endpoint;
  return [
    ...texts(`${key}.`, { name }, namePattern, "small letters, digits and hyphens, 63 at most, no hyphen first"),
    ...urlProblems(`${key}.url`, endpoint, allowInsecure),
    ...Object.entries(headers).flatMap(([header, value]) => headerProblems(`${key}.headers.${header}`, header, knownNow(value))),
    ...actions.flatMap((action, index) => oneOf(`${key}.`, { [`actions[${index}]`]: action }, Object.values(NotifiedAction))),
    ...when(endpoint.actions?.length === 0, `${key}.actions`, "is empty; name push or delete, or leave it out for both"),
    ...repositoriesProblems(`${key}.repositories`, repositories),
    ...caProblems(`${key}.caCertificates`, caCertificates, "the endpoint"),
  ];
}

function urlProblems(key: string, { url, headers = {} }: Notification, allowInsecure: boolean): Problem[] {
  const known = knownNow(url);
  if (known === undefined) {
    return [];
  }
  if (!isUrl(known) || !canParse(known)) {
    return [
      {
        key,
        message: "this value (not shown) is not allowed; give a URL with http:// or https://, a password goes into headers",
      },
    ];
  }
  return when(
    isSentInClear(known) && Object.keys(headers).length > 0 && !allowInsecure,
    key,
    "would have the headers sent in clear; use https://, or set allowInsecure to true",
  );
}

function headerProblems(key: string, header: string, value: string | undefined): Problem[] {
  return [
    ...when(!headerPattern.test(header), key, "is not the name of a header; give letters, digits and hyphens"),
    ...when(taken.test(header), key, "is set by the server itself"),
    ...when(
      value !== undefined && !/^[\t\x20-\x7e]+$/.test(value),
      key,
      "must have ASCII characters in one line, and not be empty",
    ),
  ];
}

import { Tls, TlsMode } from "../args/registry";
import { providedCertificateProblems, validity } from "./certificates";
import { knownNow } from "./inputs";
import { Problem, shown } from "./problems";
import { isWhole, oneOf, unlimited, when, wholeNumbers } from "./rules";

const selfSignedOnly = ["validityDays", "renewBeforeDays", "generation", "caGeneration", "keepPreviousCa"] as const;
const providedOnly = ["certificate", "privateKey", "chain"] as const;

export function tlsProblems(tls: Tls, hostname: string): Problem[] {
  const mode = tls.mode ?? TlsMode.SelfSigned;
  const unknown = oneOf("tls.", { mode }, Object.values(TlsMode));
  if (unknown.length > 0) {
    return unknown;
  }
  return [
    ...foreignProblems(tls, mode, selfSignedOnly, TlsMode.SelfSigned),
    ...foreignProblems(tls, mode, providedOnly, TlsMode.Provided),
    ...(mode === TlsMode.SelfSigned ? selfSignedProblems(tls) : []),
    ...(mode === TlsMode.Provided ? providedProblems(tls, hostname) : []),
  ];
}

function foreignProblems(tls: Tls, mode: TlsMode, keys: readonly (keyof Tls)[], home: TlsMode): Problem[] {
  return keys.flatMap((key) =>
    when(
      mode !== home && tls[key] !== undefined,
      `tls.${key}`,
      `belongs to tls.mode "${home}", and tls.mode is "${mode}"; remove it or change the mode`,
    ),
  );
}

function selfSignedProblems(tls: Tls): Problem[] {
  const { generation, caGeneration } = tls;
  const { validityDays, renewBeforeDays } = validity(tls);
  return [
    ...wholeNumbers("tls.", { validityDays }, 1, 3649),
    ...wholeNumbers("tls.", { generation, caGeneration }, 1, unlimited),
    ...when(
      tls.keepPreviousCa === true && (caGeneration ?? 1) < 2,
      "tls.keepPreviousCa",
      "needs tls.caGeneration 2 or more; there is no CA before the first",
    ),
    ...when(
      !isWhole(renewBeforeDays, 0, Math.max(0, validityDays - 1)),
      "tls.renewBeforeDays",
      `${shown(renewBeforeDays)} is not allowed; give a whole number from 0 to one less than tls.validityDays (${validityDays})`,
    ),
  ];
}

function providedProblems(tls: Tls, hostname: string): Problem[] {
  const problems = (["certificate", "privateKey"] as const).flatMap((key) =>
    when(tls[key] === undefined, `tls.${key}`, 'is missing; tls.mode "provided" needs it as PEM text'),
  );
  const certificate = knownNow(tls.certificate);
  const privateKey = knownNow(tls.privateKey);
  const chain = tls.chain === undefined ? "" : knownNow(tls.chain);
  return certificate === undefined || privateKey === undefined || chain === undefined
    ? problems
    : [...problems, ...providedCertificateProblems({ certificate, privateKey, chain }, hostname, new Date())];
}

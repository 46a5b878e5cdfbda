import type { CoreError, ReasonCode } from "@touchmark/core";

/** The one code of a verdict for each way in which a rule of chapters 02 and 03 can be broken. */
export function reasonCodeOf({ code }: CoreError): ReasonCode {
  switch (code) {
    case "THRESHOLD":
    case "WRONG_KEY":
    case "EQUIVOCATION":
      return code;
    case "BAD_SIGNATURE":
    case "WRONG_CHALLENGE":
    case "WRONG_APPLICATION":
    case "WRONG_ORIGIN":
    case "NO_USER_PRESENCE":
    case "NO_USER_VERIFICATION":
    case "NOT_DEVICE_BOUND":
    case "BAD_FLAGS":
      return "SIGNATURE_BAD";
    default:
      return "RULE_BROKEN";
  }
}

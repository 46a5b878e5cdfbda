import { FidoError, type FidoErrorCode, type FidoErrorDetails } from "./error.ts";
import { STATUS } from "./ctap2/status.ts";

/** What went wrong, in the words of the layer that noticed. */
export type DeviceProblem =
  | { readonly kind: "status"; readonly status: number; readonly retries?: number }
  | { readonly kind: "hid-error"; readonly code: number }
  | { readonly kind: "garbage"; readonly detail: string; readonly cause?: unknown }
  | { readonly kind: "no-device"; readonly detail?: string; readonly cause?: unknown }
  | { readonly kind: "several-devices"; readonly names: readonly string[] }
  | { readonly kind: "gone"; readonly cause?: unknown }
  | { readonly kind: "busy"; readonly cause?: unknown }
  | { readonly kind: "silent" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "no-permission"; readonly path: string; readonly cause?: unknown }
  | { readonly kind: "library-missing"; readonly cause: unknown }
  | { readonly kind: "not-fido" }
  | { readonly kind: "unable"; readonly what: string }
  | { readonly kind: "u2f-status"; readonly sw: number }
  | { readonly kind: "pin-change-needed" }
  | { readonly kind: "pin-rules" }
  | { readonly kind: "uv-unavailable" };

/**
 * The one place where a CTAP status byte or a device's trouble becomes a FidoError with a sentence and a hint.
 * The caller throws what this returns.
 */
export function explain(problem: DeviceProblem): FidoError {
  switch (problem.kind) {
    case "status":
      return explainStatus(problem.status, problem.retries);
    case "hid-error":
      return explainHidError(problem.code);
    case "garbage":
      return error("DEVICE_GARBAGE", `The security key's answer makes no sense: ${problem.detail}.`, {
        hint: "Unplug the key, plug it in again and retry; if this comes back, use another key.",
        cause: problem.cause,
      });
    case "no-device":
      return error("NO_DEVICE", problem.detail ?? "No security key is plugged in.", {
        hint: "Plug in a FIDO2 security key and try again.",
        cause: problem.cause,
      });
    case "several-devices":
      return error(
        "SEVERAL_DEVICES",
        `${problem.names.length} security keys are plugged in: ${problem.names.join(", ")}.`,
        {
          hint: "Unplug all but one, or touch the one to be used when they blink.",
        },
      );
    case "gone":
      return error("DEVICE_GONE", "The security key was unplugged before it had answered.", {
        hint: "Plug the key in again and retry; nothing was signed.",
        cause: problem.cause,
      });
    case "busy":
      return error("DEVICE_BUSY", "Another program is using the security key.", {
        hint: "Finish or close the other program (a browser that waits for a touch, an SSH agent) and try again.",
        cause: problem.cause,
      });
    case "silent":
      return error("DEVICE_SILENT", "The security key did not answer in time.", {
        hint: "Unplug the key, plug it in again and retry.",
      });
    case "cancelled":
      return error("CANCELLED", "The request to the security key was cancelled.", {});
    case "no-permission":
      return error("NO_PERMISSION", `No permission to open the security key (${problem.path}).`, {
        hint: permissionHint(),
        cause: problem.cause,
      });
    case "library-missing":
      return error("LIBRARY_MISSING", "The library that talks to USB devices cannot be loaded.", {
        hint: "On Linux install libusb-1.0 and libudev (Debian: apt install libusb-1.0-0 libudev1); elsewhere reinstall node-hid.",
        cause: problem.cause,
      });
    case "not-fido":
      return error("NOT_FIDO", "This device speaks neither FIDO2 (CTAP2) nor U2F.", {
        hint: "Use a FIDO2 security key.",
      });
    case "unable":
      return error("KEY_UNABLE", `This security key cannot ${problem.what}.`, {
        hint: "Do without it, or use another key.",
      });
    case "u2f-status":
      return error("DEVICE_REFUSED", `The security key refused the request (U2F status ${hex(problem.sw)}).`, {
        hint: "Unplug the key, plug it in again and retry.",
      });
    case "pin-change-needed":
      return error("PIN_CHANGE_NEEDED", "This security key wants its PIN changed before it takes it.", {
        hint: "Change the PIN, then try again.",
      });
    case "pin-rules":
      return error("PIN_POLICY", "The key does not accept this PIN: it has rules beyond the length.", {
        hint: "Choose a PIN that is no simple row of characters; who gave out the key knows its rules.",
      });
    case "uv-unavailable":
      return error("UV_UNAVAILABLE", "This security key has no way to verify its user, and one is asked for.", {
        hint: "Use a key with a PIN or a fingerprint reader.",
      });
  }
}

function explainStatus(status: number, retries: number | undefined): FidoError {
  const [code, message, hint] = statusTexts(status, retries);
  return error(code, message, { status, hint, ...(retries === undefined ? {} : { retries }) });
}

function statusTexts(status: number, retries: number | undefined): readonly [FidoErrorCode, string, string] {
  switch (status) {
    case STATUS.pinInvalid:
      return [
        "PIN_WRONG",
        `The PIN is wrong${retriesLeft(retries)}.`,
        "Try again with the right PIN; too many wrong ones lock the key for good.",
      ];
    case STATUS.pinAuthBlocked:
      return [
        "PIN_AUTH_BLOCKED",
        "Too many wrong PINs in a row.",
        "Unplug the key, plug it in again, then try with the right PIN.",
      ];
    case STATUS.pinBlocked:
      return [
        "PIN_BLOCKED",
        "The PIN of this key is locked for good.",
        "Only a reset opens it again, and a reset erases all its credentials; sign with another key.",
      ];
    case STATUS.pinNotSet:
      return ["PIN_NOT_SET", "This key has no PIN yet, and one is asked for.", "Set a PIN on the key first."];
    case STATUS.pinPolicyViolation:
      return ["PIN_POLICY", "The key does not accept this PIN.", "Choose a longer PIN."];
    case STATUS.pinAuthInvalid:
    case STATUS.pinTokenExpired:
    case STATUS.unauthorizedPermission:
      return [
        "DEVICE_REFUSED",
        `The key did not accept the PIN's token (${hex(status)}).`,
        "Try again and enter the PIN anew.",
      ];
    case STATUS.pinOrUvRequired:
      return [
        "UV_UNAVAILABLE",
        "This key insists on a PIN or a fingerprint.",
        "Set a PIN on the key, or let the request verify the user.",
      ];
    case STATUS.uvBlocked:
      return [
        "UV_BLOCKED",
        "The key no longer tries to recognise its user: it failed too often.",
        "Use the key's PIN, which also makes it try again.",
      ];
    case STATUS.uvInvalid:
      return [
        "UV_FAILED",
        `The key did not recognise its user${retriesLeft(retries)}.`,
        "Try again, or use the key's PIN.",
      ];
    // Keys differ in what they say when nobody touches them.
    case STATUS.operationDenied:
    case STATUS.userActionTimeout:
    case STATUS.actionTimeout:
    case STATUS.upRequired:
      return [
        "TOUCH_TIMEOUT",
        "The security key was not touched in time.",
        "Try again and touch the key while it blinks.",
      ];
    case STATUS.keepaliveCancel:
      return ["CANCELLED", "The request to the security key was cancelled.", ""];
    case STATUS.unsupportedAlgorithm:
      return [
        "ALGORITHM_UNSUPPORTED",
        "This key has none of the signature algorithms asked for.",
        "Allow ES256, which every FIDO2 key has.",
      ];
    case STATUS.noCredentials:
      return [
        "CREDENTIAL_UNKNOWN",
        "The credential asked for is not on this key.",
        "Plug in the key with which it was enrolled.",
      ];
    case STATUS.keyStoreFull:
      return [
        "KEY_UNABLE",
        "This key has no place left to keep a credential itself.",
        "Enrol without keeping the credential on the key, which needs no place.",
      ];
    case STATUS.credentialExcluded:
      return ["CREDENTIAL_EXCLUDED", "This key is already enrolled.", "Enrol another key, or go on with this one."];
    case STATUS.channelBusy:
      return [
        "DEVICE_BUSY",
        "Another program is using the security key.",
        "Finish or close the other program and try again.",
      ];
    default:
      return [
        "DEVICE_REFUSED",
        `The security key refused the request (status ${hex(status)}).`,
        "Unplug the key, plug it in again and retry; if this comes back, report it with --trace.",
      ];
  }
}

// CTAP 2.1 section 11.2.9.1.6: the codes of an ERROR message are few; every one but "busy" means that the two sides are out of step.
function explainHidError(code: number): FidoError {
  return code === STATUS.channelBusy
    ? explain({ kind: "busy" })
    : explain({ kind: "garbage", detail: `transport error ${hex(code)}` });
}

function retriesLeft(retries: number | undefined): string {
  if (retries === undefined) return "";
  return retries === 1 ? "; 1 attempt is left" : `; ${retries} attempts are left`;
}

function permissionHint(): string {
  if (process.platform === "win32")
    return "Windows lets only administrators talk to a security key directly; use --device browser, or ssh-keygen.";
  if (process.platform === "darwin") return "Allow the terminal under Privacy & Security, Input Monitoring.";
  return "Plug the key in again: systemd gives it to whoever sits at the screen. Over SSH, and elsewhere, it takes the rule in docs/troubleshooting.md.";
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

function error(code: FidoErrorCode, message: string, details: FidoErrorDetails): FidoError {
  return new FidoError(code, message, details);
}

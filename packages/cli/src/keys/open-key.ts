import { appendFileSync, writeFileSync } from "node:fs";
import {
  type DeviceEdges,
  explain,
  type FidoDevice,
  type Holding,
  type Interaction,
  listDevices,
  openDevices,
  selectDevice,
} from "@touchmark/fido";
import { CliError } from "../error.ts";
import { isSsh } from "./ssh-device.ts";

export const TRACE_FLAG = {
  trace: { value: "FILE", help: "write down what is said to the key, without PINs and what is made of them" },
} as const;

export interface OpenRequest {
  /** As `--device` takes it. */
  device: string;
  /** The file of `--trace`, by its whole path. */
  trace: string | undefined;
  interaction: Interaction;
  /** Keys without any of these credentials are left out. */
  holding?: Holding;
}

/** The one key to be used, open. Throws FidoError and what the system throws. */
export async function openKey(request: OpenRequest): Promise<FidoDevice> {
  const { interaction, holding } = request;
  const devices = await openKeys(request);
  return selectDevice({ devices, interaction, ...(holding === undefined ? {} : { holding }) });
}

/** All keys that are meant, open. Throws FidoError and what the system throws. */
export async function openKeys({ device, trace }: Pick<OpenRequest, "device" | "trace">): Promise<FidoDevice[]> {
  if (isSsh(device)) {
    throw new CliError(
      "USAGE",
      "Only ssh-keygen talks to a key behind ssh:FILE.",
      "Plug the security key in here and leave --device out.",
    );
  }
  if (trace === undefined) return openDevices(device);
  // A trace is a talk with one key: the words of several would be mixed in it.
  const names = (await listDevices(device)).map(({ name }) => name);
  if (names.length > 1) throw explain({ kind: "several-devices", names });
  return openDevices(device, traceInto(trace));
}

// Line by line, so that a trace of what ended badly is there as well.
function traceInto(file: string): DeviceEdges {
  writeFileSync(file, "", { mode: 0o600 });
  return {
    trace: (line) => {
      appendFileSync(file, line);
    },
  };
}

import { appendFileSync, writeFileSync } from "node:fs";
import {
  awaitDevice,
  type DeviceEdges,
  explain,
  type FidoDevice,
  type Holding,
  type Interaction,
  isBrowserSpec,
  listDevices,
  openDevices,
  type WatchEdges,
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
  watch: WatchEdges;
}

/** The one key to be used, open; where the person can be told to plug it in, it is waited for. Throws FidoError and what the system throws. */
export async function openKey({ device, trace, interaction, holding, watch }: OpenRequest): Promise<FidoDevice> {
  refuseOthersKeys(device);
  // Only at a port can a key appear.
  const person = { ...interaction };
  if (device !== "usb") delete person.showPlugIn;
  const edges = trace === undefined ? watch : { ...watch, ...(await traceOne(device, trace, watch)) };
  return awaitDevice({ spec: device, interaction: person, edges, ...(holding === undefined ? {} : { holding }) });
}

/** All keys that are meant, open. Throws FidoError and what the system throws. */
export async function openKeys({ device, trace }: Pick<OpenRequest, "device" | "trace">): Promise<FidoDevice[]> {
  refuseOthersKeys(device);
  return openDevices(device, trace === undefined ? {} : await traceOne(device, trace, {}));
}

// Here keys are talked to in packets.
function refuseOthersKeys(device: string): void {
  if (isBrowserSpec(device))
    throw new CliError(
      "USAGE",
      "Only a browser talks to the keys behind its page.",
      "Plug the security key in here and leave --device out.",
    );
  if (!isSsh(device)) return;
  throw new CliError(
    "USAGE",
    "Only ssh-keygen talks to a key behind ssh:FILE.",
    "Plug the security key in here and leave --device out.",
  );
}

// A trace is a talk with one key: the words of several would be mixed in it.
async function traceOne(device: string, file: string, { list = listDevices }: WatchEdges): Promise<DeviceEdges> {
  const names = (await list(device)).map(({ name }) => name);
  if (names.length > 1) throw explain({ kind: "several-devices", names });
  return traceInto(file);
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

// What a user sees who may not open the device file: prints the error's code.
import { FidoError, listDevices, openDevices } from "@touchmark/fido";

const NOBODY = 65_534;

// Loads node-hid, for nobody may not be able to read where it lies.
await listDevices();
process.setgroups?.([]);
process.setgid?.(NOBODY);
process.setuid?.(NOBODY);
try {
  await openDevices();
} catch (error) {
  if (!(error instanceof FidoError)) throw error;
  process.stdout.write(error.code);
}

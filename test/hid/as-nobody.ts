// What a user sees who may not open the device file: prints the error's code.
import { FidoError, openDevices } from "@touchmark/fido";

try {
  await openDevices();
} catch (error) {
  if (!(error instanceof FidoError)) throw error;
  process.stdout.write(error.code);
}

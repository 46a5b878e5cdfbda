// The programs of the virtual machine as plain JavaScript: an emulated processor needs five times as long to strip types from many files.
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Plugin, rolldown } from "rolldown";

const ENTRIES = ["inside", "uhid-device", "as-nobody"];

/** What runs inside, by file name: `inside.mjs`, `uhid-device.mjs`, `as-nobody.mjs` and what they load. */
export async function bundlePrograms(): Promise<Map<string, string>> {
  const bundler = await rolldown({
    input: Object.fromEntries(ENTRIES.map((name) => [name, fileURLToPath(new URL(`${name}.ts`, import.meta.url))])),
    platform: "node",
    // Nothing here stores anything in a cloud.
    external: /^@aws-sdk\//,
    plugins: [realNodeHid],
  });
  const { output } = await bundler.generate({
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name]-[hash].mjs",
  });
  await bundler.close();
  return new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file.code] as const] : [])));
}

/** node-hid stays what was installed, with its native part beside it. */
const realNodeHid: Plugin = {
  name: "real-node-hid",
  resolveId: (id) => {
    if (id !== "node-hid") return null;
    const { resolve } = createRequire(new URL("../../packages/fido/package.json", import.meta.url));
    return { id: pathToFileURL(resolve(id)).href, external: true };
  },
};

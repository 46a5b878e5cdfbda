// Finds a Debian kernel and busybox, and packs the few modules that a virtual machine needs into an initramfs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface Kernel {
  readonly image: string;
  readonly modules: string;
}

/** The kernel in `root` (`/`, or a folder into which a package was unpacked); undefined if there is none. */
export function findKernel(root: string): Kernel | undefined {
  const boot = join(root, "boot");
  const versions = existsSync(boot) ? readdirSync(boot).filter((name) => /^vmlinuz-.*-amd64$/.test(name)) : [];
  const kernels = versions.toSorted().map((name) => ({
    image: join(boot, name),
    modules: join(root, "lib/modules", name.slice("vmlinuz-".length)),
  }));
  return kernels.findLast(({ modules }) => existsSync(modules));
}

/** The modules' files with all that they need, each after what it needs. */
export function modulesWithNeeds({ modules }: Kernel, names: readonly string[]): string[] {
  const files = new Map<string, string>();
  for (const path of readdirSync(modules, { recursive: true, encoding: "utf8" }))
    if (path.endsWith(".ko")) files.set(moduleName(path), join(modules, path));
  const sorted: string[] = [];
  const add = (name: string): void => {
    const file = files.get(name);
    // What is no file is built into the kernel.
    if (file === undefined || sorted.includes(file)) return;
    needsOf(file).forEach(add);
    sorted.push(file);
  };
  names.forEach(add);
  return sorted;
}

// The module says itself what it needs, in its section .modinfo.
function needsOf(file: string): string[] {
  const text = readFileSync(file, "latin1");
  const [, needs = ""] = /\0depends=([^\0]*)\0/.exec(text) ?? [];
  return needs.split(",").filter(Boolean).map(moduleName);
}

function moduleName(path: string): string {
  return basename(path, ".ko").replaceAll("-", "_");
}

export interface ArchiveFile {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
}

/** A cpio archive in the form "newc", which the kernel unpacks at its start. */
export function packArchive(files: readonly ArchiveFile[]): Buffer {
  const all = [...files, { path: "TRAILER!!!", mode: 0, data: new Uint8Array() }];
  return Buffer.concat(all.flatMap((file, index) => packFile(file, index + 1)));
}

function packFile({ path, mode, data }: ArchiveFile, inode: number): Buffer[] {
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, path.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${path}\0`;
  return [pad(Buffer.from(head, "latin1")), pad(Buffer.from(data))];
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

// node test/hid/main.ts: node-hid, libfido2 and OpenSSH on a real hidraw device, in a virtual machine that is started for it.
//
// The machine's kernel makes the device out of the software authenticator (uhid); its root is this machine's, read-only. Nothing is
// installed and nothing is written: what is missing is named.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cleanText } from "@touchmark/core";
import { type ArchiveFile, findKernel, type Kernel, modulesWithNeeds, packArchive } from "./kernel.ts";
import { bundlePrograms } from "./programs.ts";

const QEMU = "/usr/bin/qemu-system-x86_64";
const BUSYBOX = "/bin/busybox";
/** Where to look for a kernel: `/`, or a folder into which a package was unpacked. */
const KERNEL_ROOT = process.env["TOUCHMARK_KERNEL"] ?? "/";
/** A limit, not a measure: on an idle core it takes half of one. Within it each step has its own. */
const MINUTES = 5;
const PASSED = "hid: passed";
const OURS = /^(?:ok|failed|left out|hid)\b/;
const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** Folders of the machine that are its own. */
const WRITABLE = ["tmp", "run"];
const MODULES = ["virtio_pci", "9pnet_virtio", "9p", "uhid", "hid_generic"];
const FOLDERS = ["bin", "root", "clone", "modules", "programs", "dev"];

const found = findKernel(KERNEL_ROOT);
const missing = [
  existsSync(QEMU) ? "" : "qemu-system-x86",
  existsSync(BUSYBOX) ? "" : "busybox-static",
  found === undefined
    ? `linux-image-amd64 (installed, or unpacked with dpkg -x into a folder that TOUCHMARK_KERNEL names)`
    : "",
].filter(Boolean);

if (missing.length > 0 || found === undefined) {
  process.stderr.write(`Debian packages are missing: ${missing.join(", ")}.\n`);
  process.stderr.write("fido2-tools and openssh-client are used too where they are there.\n");
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-hid-"));
  try {
    process.exitCode = (await runMachine(found, folder)) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runMachine(kernel: Kernel, folder: string): Promise<boolean> {
  const initramfs = join(folder, "initramfs");
  writeFileSync(initramfs, packArchive(initramfsFiles(kernel, await bundlePrograms())));
  const machine = spawn(
    QEMU,
    [
      // One processor on one thread: translated by several threads, one in fifty starts of node ended in a SIGSEGV (qemu 7.2).
      ["-accel", "tcg,thread=single", "-cpu", "max", "-smp", "1", "-m", "1500"],
      ["-nographic", "-no-reboot", "-nic", "none"],
      // On a busy machine the emulated timer comes too late for the kernel's check of it, which then panics.
      ["-kernel", kernel.image, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1 no_timer_check"],
      ["-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"],
      ["-device", "virtio-9p-pci,fsdev=root,mount_tag=root"],
    ].flat(),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const timer = setTimeout(() => {
    process.stderr.write(`The machine did not end within ${MINUTES} minutes.\n`);
    machine.kill("SIGKILL");
  }, MINUTES * 60_000);
  let hasPassed = false;
  const rest: string[] = [];
  const ended = once(machine, "exit") as Promise<[number | null]>;
  for await (const line of createInterface({ input: machine.stdout })) {
    hasPassed ||= line.trim() === PASSED;
    if (OURS.test(line)) process.stdout.write(`${line}\n`);
    else rest.push(line);
  }
  const [code] = await ended;
  clearTimeout(timer);
  // What firmware and kernel have said is of interest only then.
  if (!hasPassed) process.stderr.write(rest.map((line) => `${cleanText(line)}\n`).join(""));
  return hasPassed && code === 0;
}

function initramfsFiles(kernel: Kernel, programs: ReadonlyMap<string, string>): ArchiveFile[] {
  const modules = modulesWithNeeds(kernel, MODULES);
  const [folder, file] = [0o040755, 0o100755];
  // Where a clone lies in a folder that is writable in the machine, it is shown there again.
  const shown = `/root${REPOSITORY}`;
  const isHidden = WRITABLE.some((name) => REPOSITORY.startsWith(`/${name}/`));
  const init = [
    "#!/bin/busybox sh",
    // The firmware ends its own lines in the middle.
    "echo",
    ...modules.map((_, index) => `/bin/busybox insmod /modules/${index}.ko`),
    "/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 root /root",
    "/bin/busybox mount -t devtmpfs dev /root/dev",
    "/bin/busybox mount -t proc proc /root/proc",
    "/bin/busybox mount -t sysfs sys /root/sys",
    ...(isHidden ? [`/bin/busybox mount -o bind '${shown}' /clone`] : []),
    ...WRITABLE.map((name) => `/bin/busybox mount -t tmpfs tmp /root/${name}`),
    ...(isHidden ? [`/bin/busybox mkdir -p '${shown}'`, `/bin/busybox mount -o bind /clone '${shown}'`] : []),
    "/bin/busybox mkdir /root/tmp/programs",
    "/bin/busybox mount -o bind /programs /root/tmp/programs",
    `/bin/busybox chroot /root /usr/bin/env -i HOME=/tmp PATH=/usr/bin:/bin ${process.execPath} /tmp/programs/inside.mjs '${PASSED}'`,
    "/bin/busybox poweroff -f",
    "",
  ].join("\n");
  return [
    ...FOLDERS.map((path) => ({ path, mode: folder, data: new Uint8Array() })),
    { path: "bin/busybox", mode: file, data: readFileSync(BUSYBOX) },
    { path: "init", mode: file, data: Buffer.from(init) },
    ...modules.map((path, index) => ({ path: `modules/${index}.ko`, mode: file, data: readFileSync(path) })),
    ...[...programs].map(([name, code]) => ({ path: `programs/${name}`, mode: file, data: Buffer.from(code) })),
  ];
}

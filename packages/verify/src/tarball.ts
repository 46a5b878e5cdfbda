// The tarball reader. Apart from the main barrel, because it brings the tar library along.
export type { TarballLimits } from "./tarball/limits.ts";
export { type PackageJson, readTarball, type Tarball } from "./tarball/read-tarball.ts";

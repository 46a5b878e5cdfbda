export { readTarball } from "@touchmark/verify/tarball";

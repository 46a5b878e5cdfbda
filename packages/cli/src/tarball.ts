export { readTarball } from "../../verify/src/tarball/read-tarball.ts";

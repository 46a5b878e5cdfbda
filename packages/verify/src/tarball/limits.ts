/** What a tarball may cost. All sizes in bytes. */
export interface TarballLimits {
  /** Of the .tgz. */
  compressed: number;
  /** Of the tar in it. */
  content: number;
  entries: number;
  /** How many times larger than the .tgz the content may be once it is over `freeContent`. */
  ratio: number;
  freeContent: number;
  packageJson: number;
}

export const TARBALL_LIMITS: TarballLimits = {
  compressed: 512 * 2 ** 20,
  content: 2 * 2 ** 30,
  entries: 200_000,
  ratio: 200,
  freeContent: 64 * 2 ** 20,
  packageJson: 4 * 2 ** 20,
};

import type { DeviceEdges, WatchEdges } from "@touchmark/fido";

/** All that a command has of the world outside of its arguments and files. `main.ts` gives the real one, tests their own. */
export interface Io {
  /** Results. The text brings its own line ends. */
  stdout(text: string | Uint8Array): void;
  /** Progress, prompts and errors. */
  stderr(text: string | Uint8Array): void;
  /** One line typed unseen, or undefined if the person gave up. Only where `isTerminal.stdin`. */
  askSecret(prompt: string): Promise<string | undefined>;
  /** One line, or undefined if the person gave up. Only where `isTerminal.stdin`. */
  askText(question: string): Promise<string | undefined>;
  /** Only where `isTerminal.stdin`. */
  askConfirm(question: string): Promise<boolean>;
  /** The first line of an inherited file descriptor, without its end. */
  readLine(fd: number): Promise<string>;
  /** A value of npm's own configuration. */
  npmConfig(key: string): Promise<string>;
  /** Opens an address in the person's browser. Absent where there is none. */
  openUrl?(url: string): Promise<void>;
  /** A value of git's configuration; undefined where it isn't set. Absent where there is no git. */
  gitConfig?(key: string): Promise<string | undefined>;
  /** How security keys are found; the system's own ports when left out. */
  readonly watch?: WatchEdges & DeviceEdges;
  readonly platform: NodeJS.Platform;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly homeDirectory: string;
  /** Seconds since 1970. */
  now(): number;
  fetch(url: string, init: RequestInit): Promise<Response>;
  readonly isTerminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
}

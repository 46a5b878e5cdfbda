import { readFileSync } from "node:fs";

const MAX_FILE = 2 ** 20;
const KEYS = ["_authToken", "_auth", "username", "_password"] as const;

/**
 * The `Authorization` header that npm would send to a registry, by its own rules: settings named `//host/path/:_authToken`, the longest path first,
 * from the environment (`npm_config_//…`), then the files in their order. `undefined` if there is none. npm itself tells nobody these values.
 */
export function credentialsFor(registry: URL, files: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const settings = collect(files, env);
  for (let key = `//${registry.host}${registry.pathname}`; key.length > 2; key = key.replace(/(?:[^/]+|\/)$/, "")) {
    const [token, basic, username, password] = KEYS.map((name) => settings.get(`${key}:${name}`));
    if (token !== undefined) return `Bearer ${token}`;
    if (basic !== undefined) return `Basic ${basic}`;
    if (username !== undefined && password !== undefined) {
      const plain = `${username}:${Buffer.from(password, "base64").toString("utf8")}`;
      return `Basic ${Buffer.from(plain).toString("base64")}`;
    }
  }
  return undefined;
}

function collect(files: readonly string[], env: NodeJS.ProcessEnv): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    const key = /^npm_config_(\/\/.*)$/is.exec(name)?.[1];
    if (key !== undefined && value !== undefined && value !== "") settings.set(key, value);
  }
  for (const file of files) {
    for (const line of linesOf(file)) {
      const [, key, written] = /^\s*(\/\/[^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key !== undefined && written !== undefined && !settings.has(key))
        settings.set(key, expand(unquote(written), env));
    }
  }
  return settings;
}

function linesOf(file: string): string[] {
  try {
    const text = readFileSync(file, "utf8");
    return text.length > MAX_FILE ? [] : text.split(/\r?\n/);
  } catch {
    return []; // npm does without a file that it can't read, too
  }
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted ? quoted[2]! : value.replace(/\s*[;#].*$/, "");
}

/** `${NAME}` and `${NAME?}`; npm leaves the first as it stands when there is no such variable. */
function expand(value: string, env: NodeJS.ProcessEnv): string {
  return value.replace(
    /\$\{([^${}?]+)(\?)?\}/g,
    (whole, name: string, optional: string | undefined) => env[name] ?? (optional ? "" : whole),
  );
}

import { join } from "node:path";

/** An environment in which npm has nothing of the user's or of the test run's: neither settings nor cache. Nobody in it is a CI job. */
export function cleanNpmEnv(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^npm_|^(?:https?|no|all)_proxy$|^ci$/i.test(key));
  return {
    ...Object.fromEntries(kept),
    npm_config_userconfig: join(home, "user.npmrc"),
    npm_config_globalconfig: join(home, "global.npmrc"),
    npm_config_cache: join(home, ".npm-cache"),
    npm_config_update_notifier: "false",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
}

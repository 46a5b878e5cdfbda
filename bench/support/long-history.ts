import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DAY,
  encodeChange,
  encodeClaim,
  encodeFunding,
  encodeHold,
  encodeLift,
  encodeVeto,
  NO_EARLIER,
} from "@touchmark/core";
import { encodeEvidence, encodeVerifierKey, nodeCrypto } from "@touchmark/log";
import { forgedLog } from "../../packages/verify/test/support/forged-log.ts";
import {
  authority,
  digestOf,
  type Holder,
  person,
  releasePayload,
  signedBy,
} from "../../packages/verify/test/support/people.ts";
import { signatureFloor } from "./signature-floor.ts";

const PACKAGE = "npm:npmjs/veteran";

/** Writes touchmark.json, evidence.json and floor.json of a package that has lived through so many statements, day after day. */
export function writeLongHistory(directory: string, statements: number): void {
  const log = forgedLog();
  const logs = [log.origin];
  const [alice, bob, carol, backup] = [
    person("alice"),
    person("bob"),
    person("carol"),
    person("alice", "her other key"),
  ];
  const begin = Math.floor(Date.now() / 1000) - statements * DAY;
  const { add, floor } = signatureFloor();
  let day = 0;
  const enter = (payload: Uint8Array, signers: Holder[]): Uint8Array => {
    const envelope = signedBy(payload, signers);
    add(envelope);
    return log.reference(log.append(envelope, begin + day++ * DAY));
  };
  const members = [alice, bob, carol];
  const packages = new Map([
    [PACKAGE, { previous: null, earlier: NO_EARLIER, proof: { version: "1.0.1", sha512: digestOf("1") } }],
  ]);
  let previous = enter(encodeClaim(nodeCrypto, { logs, packages, authority: authority(members, 2) }), members);
  day += 8;
  for (let at = 1; at < statements; at++) {
    const followed = new Map([[PACKAGE, { previous }]]);
    const version = `1.${at}.0`;
    switch (at % 10) {
      case 1: // a second key of one holder comes, and goes again
        previous = enter(
          encodeChange(nodeCrypto, { logs, packages: followed, authority: authority([...members, backup], 2) }),
          [alice, bob, backup],
        );
        break;
      case 2:
        previous = enter(encodeChange(nodeCrypto, { logs, packages: followed, authority: authority(members, 2) }), [
          alice,
          bob,
          backup,
        ]);
        break;
      case 3: {
        const channels = [{ type: "open-collective", address: `veteran-${at}` }];
        previous = enter(
          encodeFunding(nodeCrypto, { logs, packages: followed, channels, manifest: null, needs: null }),
          [alice, bob],
        );
        break;
      }
      case 4:
        previous = enter(
          encodeHold(nodeCrypto, {
            logs,
            by: PACKAGE,
            releases: [`${PACKAGE}@${version}`],
            reason: "looked into",
            osv: null,
            renews: null,
          }),
          [bob, carol],
        );
        break;
      case 5:
        previous = enter(encodeLift(nodeCrypto, { logs, by: PACKAGE, hold: previous }), [alice, carol]);
        break;
      case 6:
        previous = enter(encodeVeto(nodeCrypto, { logs, entries: new Map([[PACKAGE, previous]]) }), [carol]);
        break;
      default:
        enter(releasePayload(`${PACKAGE}@${version}`, digestOf(version)), [alice, bob]);
    }
  }
  log.heartbeat(begin + day * DAY);
  const policy = {
    version: 1,
    registries: { npmjs: ["https://registry.example/"] },
    log: { url: "https://log.example/test/", origin: log.origin, key: encodeVerifierKey(log.signer.key) },
  };
  writeFileSync(join(directory, "touchmark.json"), JSON.stringify(policy));
  writeFileSync(join(directory, "evidence.json"), encodeEvidence(log.evidence([PACKAGE])));
  writeFileSync(
    join(directory, "asked.json"),
    JSON.stringify({ packageId: PACKAGE, version: "1.7.0", sha512: digestOf("1.7.0") }),
  );
  writeFileSync(join(directory, "floor.json"), JSON.stringify(floor()));
}

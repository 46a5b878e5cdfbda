import { expect, test } from "vitest";
import { type VerdictStatus, worstStatus } from "../src/index.ts";

test.each<[VerdictStatus, VerdictStatus[]]>([
  ["accepted", []],
  ["accepted", ["accepted", "accepted"]],
  ["unchecked", ["accepted", "unchecked", "accepted"]],
  ["rejected", ["accepted", "rejected", "accepted"]],
  ["rejected", ["unchecked", "rejected", "unchecked"]],
  ["rejected", ["rejected", "unchecked"]],
])("the worst of several is %s: %j", (worst, statuses) => {
  expect(worstStatus(statuses.map((status) => ({ status, enforced: true })))).toBe(worst);
});

test("[V-20] what is only observed does not count", () => {
  const observed = { status: "rejected", enforced: false } as const;
  expect(worstStatus([observed, { status: "accepted", enforced: true }])).toBe("accepted");
  expect(worstStatus([observed, { status: "unchecked", enforced: true }])).toBe("unchecked");
});

import { afterEach, expect, test } from "vitest";
import { openStage, type Stage } from "../demo/stage.ts";
import { tellStory } from "../demo/story.ts";

// The demo's story from end to end, as processes: the one test that takes the whole way that a user takes.

let stage: Stage | undefined;

afterEach(() => stage?.close());

test("the story: enrol, claim, sign, publish, install, and every refusal of it", { timeout: 180_000 }, async () => {
  const lines: string[] = [];
  stage = await openStage((line) => lines.push(line));
  await tellStory(stage); // throws at the first command that doesn't do what it should
  expect(lines.filter((line) => line.includes("✔")).length).toBeGreaterThanOrEqual(14);
});

import { openStage, StoryError } from "./stage.ts";
import { tellStory } from "./story.ts";

const start = performance.now();
console.log(
  "Touchmark: the main job from end to end. The security keys are in software here and speak real CTAP packets;\neverything else is what you would use: the command line, npm, a registry, a log.",
);
const stage = await openStage((line) => console.log(line));
try {
  await tellStory(stage);
  console.log(`\nEverything did what it should, in ${((performance.now() - start) / 1000).toFixed(0)} seconds.`);
} catch (error) {
  if (!(error instanceof StoryError)) throw error;
  console.error(`\n✘ ${error.message}`);
  process.exitCode = 1;
} finally {
  await stage.close();
}

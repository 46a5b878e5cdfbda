import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Stage, type Transition, TRANSITIONS, WINDOWS } from "@touchmark/core";

// docs/authority.svg: the life of a package, drawn from the code's own tables. Only where things stand on the paper is said here.

export const DRAWING: string = join(import.meta.dirname, "../docs/authority.svg");

const WIDTH = 1336;
const PICTURE_HEIGHT = 560;
const LEGEND_LINE = 21;

type Point = readonly [x: number, y: number];

interface Box {
  at: Point;
  width: number;
  height: number;
}

const BOXES: Record<Stage, Box> = {
  unclaimed: box(40, 90),
  pending: box(290, 90),
  unproven: box(170, 268),
  contested: box(390, 268),
  "in force": { at: [640, 176], width: 190, height: 104 },
  "change waits": box(1060, 44),
  "recovery waits": box(1060, 178),
  "funding waits": box(1060, 312),
  frozen: box(1060, 454),
  "adoption waits": box(560, 454),
  "adoption may be finished": { at: [180, 454], width: 230, height: 56 },
};

interface Route {
  /** A line, or a curve with two handles. */
  path: readonly Point[];
  /** The middle of its label. */
  label: Point;
}

const ROUTES: Record<string, Route> = {
  "unclaimed > pending": { path: [at("unclaimed", 1, 0.5), at("pending", 0, 0.5)], label: [240, 118] },
  "unclaimed > in force": {
    path: [at("unclaimed", 0.5, 0), [115, 16], [735, 16], at("in force", 0.5, 0)],
    label: [425, 34],
  },
  "pending > in force": { path: [at("pending", 1, 0.5), at("in force", 0, 0.2)], label: [538, 157] },
  "pending > unproven": { path: [at("pending", 0.3, 1), at("unproven", 0.72, 0)], label: [312, 196] },
  "unproven > pending": { path: [at("unproven", 0.3, 0), at("pending", 0.1, 1)], label: [216, 196] },
  "pending > contested": { path: [at("pending", 0.7, 1), at("contested", 0.4, 0)], label: [396, 190] },
  "unproven > in force": {
    path: [at("unproven", 0.8, 1), [340, 392], [585, 356], at("in force", 0, 0.88)],
    label: [448, 353],
  },
  "contested > pending": { path: [at("contested", 0.72, 0), at("pending", 0.93, 1)], label: [496, 220] },
  "contested > in force": { path: [at("contested", 1, 0.4), at("in force", 0, 0.66)], label: [588, 270] },
  "in force > change waits": { path: [at("in force", 1, 0.1), at("change waits", 0, 0.3)], label: [900, 128] },
  "change waits > in force": { path: [at("change waits", 0, 0.8), at("in force", 1, 0.32)], label: [990, 150] },
  "in force > recovery waits": { path: [at("in force", 1, 0.5), at("recovery waits", 0, 0.3)], label: [908, 216] },
  "recovery waits > in force": { path: [at("recovery waits", 0, 0.72), at("in force", 1, 0.68)], label: [994, 240] },
  "in force > funding waits": { path: [at("in force", 1, 0.86), at("funding waits", 0, 0.3)], label: [918, 291] },
  "funding waits > in force": { path: [at("funding waits", 0, 0.8), at("in force", 0.9, 1)], label: [994, 346] },
  "in force > frozen": { path: [at("in force", 0.72, 1), at("frozen", 0, 0.25)], label: [880, 349] },
  "frozen > recovery waits": {
    path: [at("frozen", 1, 0.6), [1326, 480], [1326, 195], at("recovery waits", 1, 0.3)],
    label: [1281, 380],
  },
  "recovery waits > frozen": {
    path: [at("recovery waits", 1, 0.7), [1232, 240], [1232, 440], at("frozen", 1, 0.25)],
    label: [1226, 290],
  },
  "frozen > adoption waits": { path: [at("frozen", 0, 0.66), at("adoption waits", 1, 0.66)], label: [886, 491] },
  "in force > adoption waits": { path: [at("in force", 0.2, 1), at("adoption waits", 0.4, 0)], label: [654, 352] },
  "adoption waits > in force": { path: [at("adoption waits", 0.84, 0), at("in force", 0.46, 1)], label: [702, 400] },
  "adoption waits > adoption may be finished": {
    path: [at("adoption waits", 0, 0.5), at("adoption may be finished", 1, 0.5)],
    label: [487, 482],
  },
  "adoption may be finished > in force": {
    path: [at("adoption may be finished", 0.5, 0), [295, 410], [590, 440], at("in force", 0.07, 1)],
    label: [420, 412],
  },
};

/** The drawing, as an SVG that follows the reader's light or dark. */
export function drawAuthority(): string {
  const lines = Math.ceil(TRANSITIONS.length / 2);
  const height = PICTURE_HEIGHT + 30 + lines * LEGEND_LINE + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">`,
    '<title id="title">The life of a package: where it stands, and what takes it from there</title>',
    STYLE,
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="tip" d="M0,1 L10,5 L0,9 z"/></marker></defs>',
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="10"/>`,
    ...pairs().map(drawRoute),
    ...pairs().map(drawLabel),
    ...Object.entries(BOXES).map(([stage, place]) => drawBox(stage as Stage, place)),
    `<text class="note" x="40" y="${PICTURE_HEIGHT - 14}">Dashed: time alone does it. d: days of the log's time. Holds and reviews are about single versions and change nothing here.</text>`,
    ...TRANSITIONS.map((transition, i) => drawRow(transition, i, lines)),
    "</svg>",
    "",
  ].join("\n");
}

/** Where arrows go from and to, each once; what stays where it is has no arrow. */
function pairs(): string[] {
  return [...new Set(TRANSITIONS.filter(({ from, to }) => from !== to).map(pairOf))];
}

function pairOf({ from, to }: Transition): string {
  return `${from} > ${to}`;
}

function drawRoute(pair: string): string {
  const { path } = routeOf(pair);
  const [start, ...rest] = path.map((point) => point.map((n) => Math.round(n)).join(","));
  const timed = TRANSITIONS.filter((transition) => pairOf(transition) === pair).every(({ kind }) => kind === null);
  const curve = rest.length === 1 ? `L${rest[0]}` : `C${rest.join(" ")}`;
  return `<path class="way${timed ? " time" : ""}" d="M${start} ${curve}" marker-end="url(#tip)"/>`;
}

function drawLabel(pair: string): string {
  const [x, y] = routeOf(pair).label;
  const texts = numbered().flatMap(({ transition, number }) =>
    pairOf(transition) === pair ? [`${number} ${shortOf(transition)}`] : [],
  );
  const top = y - (texts.length * 15) / 2;
  const width = Math.max(...texts.map((text) => text.length)) * 6.3 + 10;
  return [
    `<rect class="paper" x="${Math.round(x - width / 2)}" y="${Math.round(top - 1)}" width="${Math.round(width)}" height="${texts.length * 15 + 3}" rx="4"/>`,
    ...texts.map((text, i) => `<text class="label" x="${x}" y="${Math.round(top + 12 + i * 15)}">${text}</text>`),
  ].join("");
}

function drawBox(stage: Stage, { at: [x, y], width, height }: Box): string {
  const middle = x + width / 2;
  const stays = numbered().flatMap(({ transition: { from, to, kind }, number }) =>
    from === stage && to === stage ? [`${number} ${kind ?? "time"}`] : [],
  );
  const rows = chunk(stays, 2).map((row) => row.join(" · "));
  const top = y + height / 2 + 5 - rows.length * 8;
  return [
    `<rect class="box ${CLASSES[stage]}" x="${x}" y="${y}" width="${width}" height="${height}" rx="9"/>`,
    `<text class="stage" x="${middle}" y="${top}">${stage}</text>`,
    ...rows.map((row, i) => `<text class="label" x="${middle}" y="${top + 18 + i * 15}">${row}</text>`),
  ].join("");
}

function drawRow({ kind, when, window, rule }: Transition, i: number, lines: number): string {
  const [x, y] = [i < lines ? 40 : 670, PICTURE_HEIGHT + 30 + (i % lines) * LEGEND_LINE];
  const name = kind ?? "time";
  const days = window === null ? "" : `${kind === null ? ", after" : ":"} ${WINDOWS[window].days} days`;
  return `<text class="row" x="${x}" y="${y}"><tspan class="number" x="${x + 20}">${i + 1}</tspan><tspan x="${x + 30}" class="kind">${name}</tspan><tspan x="${x + 116}">${when}${days}</tspan> <tspan class="rule">[${rule}]</tspan></text>`;
}

function shortOf({ kind, window }: Transition): string {
  const days = window === null ? "" : ` ${WINDOWS[window].days} d`;
  return kind === null ? `after${days}` : `${kind}${days}`;
}

function routeOf(pair: string): Route {
  const route = ROUTES[pair];
  if (!route) throw new Error(`The drawing has no place for the arrow from ${pair.replace(" > ", " to ")}.`);
  return route;
}

function numbered(): { transition: Transition; number: number }[] {
  return TRANSITIONS.map((transition, i) => ({ transition, number: i + 1 }));
}

function chunk<T>(items: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function box(x: number, y: number): Box {
  return { at: [x, y], width: 150, height: 56 };
}

/** A point on a box's border, by its parts from the left and from the top. */
function at(stage: Stage, right: number, down: number): Point {
  const { at: corner, width, height } = BOXES[stage];
  return [corner[0] + width * right, corner[1] + height * down];
}

const CLASSES: Record<Stage, string> = {
  unclaimed: "none",
  pending: "waits",
  unproven: "none",
  contested: "stop",
  "in force": "good",
  "change waits": "waits",
  "recovery waits": "waits",
  "funding waits": "waits",
  frozen: "stop",
  "adoption waits": "waits",
  "adoption may be finished": "waits",
};

const STYLE = `<style>
  svg { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #818b98; --none: #f6f8fa; --waits: #fff8c5; --waits-line: #bf8700; --good: #dafbe1; --good-line: #1a7f37; --stop: #ffebe9; --stop-line: #cf222e; font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --soft: #9198a1; --line: #656c76; --none: #161b22; --waits: #2b2410; --waits-line: #d29922; --good: #12261e; --good-line: #3fb950; --stop: #2d1618; --stop-line: #f85149 }
  }
  text { fill: var(--ink); font-size: 12.5px }
  .paper { fill: var(--paper) }
  .box { fill: var(--none); stroke: var(--line); stroke-width: 1.5 }
  .waits { fill: var(--waits); stroke: var(--waits-line) }
  .good { fill: var(--good); stroke: var(--good-line); stroke-width: 2.5 }
  .stop { fill: var(--stop); stroke: var(--stop-line) }
  .stage { font-size: 15px; font-weight: 600; text-anchor: middle }
  .label { font-size: 11.5px; fill: var(--soft); text-anchor: middle }
  .way { fill: none; stroke: var(--line); stroke-width: 1.5 }
  .time { stroke-dasharray: 5 4 }
  .tip { fill: var(--line) }
  .number { fill: var(--soft); text-anchor: end; font-variant-numeric: tabular-nums }
  .kind { font-weight: 600 }
  .rule, .note { fill: var(--soft) }
</style>`;

if (import.meta.main) writeFileSync(DRAWING, drawAuthority());

/** Policies good and bad; `$w1` stands for the verifier key of that signer. */

export type PolicyCase = {
  name: string;
  policy: string;
  /** The number of the line that refuses it, 0 for the policy as a whole; absent if it is good. */
  refused?: number;
  /** For a good one. */
  logs?: number;
  witnesses?: string[];
  overlap?: number;
  /** Cosignatures by the policy's names of witnesses, each with its times, and what follows from them at `now`. */
  quorums?: { times: Record<string, number[]>; now: number; held: boolean; time: number | null }[];
};

const NOW = 1_800_000_000;

export const POLICIES: PolicyCase[] = [
  {
    name: "one witness",
    policy: "log $log\nwitness W1 $w1\nquorum W1\n",
    logs: 1,
    witnesses: ["W1"],
    overlap: 1,
    quorums: [
      { times: {}, now: NOW, held: false, time: null },
      { times: { W1: [NOW - 5] }, now: NOW, held: true, time: NOW - 5 },
      { times: { W1: [NOW - 5, NOW - 90, NOW - 2] }, now: NOW, held: true, time: NOW - 2 },
      { times: { W1: [NOW + 600] }, now: NOW, held: true, time: NOW + 600 },
      { times: { W1: [NOW + 601] }, now: NOW, held: false, time: null },
      { times: { W1: [NOW + 601, NOW - 30] }, now: NOW, held: true, time: NOW - 30 },
      { times: { W1: [0] }, now: NOW, held: false, time: null },
    ],
  },
  {
    name: "two of three",
    policy: "witness W1 $w1\nwitness W2 $w2\nwitness W3 $m1\ngroup g 2 W1 W2 W3\nquorum g\n",
    logs: 0,
    witnesses: ["W1", "W2", "W3"],
    overlap: 1,
    quorums: [
      { times: { W1: [NOW, NOW - 1, NOW - 2] }, now: NOW, held: false, time: null },
      { times: { W1: [NOW - 10], W3: [NOW - 20] }, now: NOW, held: true, time: NOW - 20 },
      { times: { W1: [NOW - 10], W2: [NOW - 500], W3: [NOW - 20] }, now: NOW, held: true, time: NOW - 20 },
      { times: { W1: [NOW - 10], W2: [NOW + 700] }, now: NOW, held: false, time: null },
    ],
  },
  {
    name: "three of four",
    policy: "witness W1 $w1\nwitness W2 $w2\nwitness W3 $w3\nwitness W4 $w4\ngroup g 3 W1 W2 W3 W4\nquorum g\n",
    witnesses: ["W1", "W2", "W3", "W4"],
    overlap: 2,
  },
  {
    name: "one of two",
    policy: "witness W1 $w1\nwitness W2 $w2\ngroup g any W1 W2\nquorum g\n",
    witnesses: ["W1", "W2"],
    overlap: 0,
    quorums: [{ times: { W1: [NOW - 10], W2: [NOW - 30] }, now: NOW, held: true, time: NOW - 10 }],
  },
  {
    name: "groups of groups",
    policy:
      "witness X1 $w1\nwitness X2 $w2\nwitness X3 $w3\ngroup X 2 X1 X2 X3\nwitness Y1 $m1\nwitness Y2 $w4\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n",
    witnesses: ["X1", "X2", "X3", "Y1", "Y2"],
    overlap: 1,
    quorums: [
      { times: { X1: [NOW - 1], X2: [NOW - 2], X3: [NOW - 3] }, now: NOW, held: false, time: null },
      { times: { X1: [NOW - 1], X3: [NOW - 3], Y2: [NOW - 2] }, now: NOW, held: true, time: NOW - 3 },
      { times: { X1: [NOW - 1], X3: [NOW - 3], Y2: [NOW - 9] }, now: NOW, held: true, time: NOW - 9 },
      { times: { X1: [NOW - 1], Y1: [NOW], Y2: [NOW] }, now: NOW, held: false, time: null },
    ],
  },
  {
    name: "a quorum of a witness beside groups",
    policy: "witness W1 $w1\nwitness W2 $w2\ngroup g any W1 W2\nquorum W2\n",
    witnesses: ["W1", "W2"],
    overlap: 1,
    quorums: [{ times: { W1: [NOW] }, now: NOW, held: false, time: null }],
  },
  {
    name: "none",
    policy: "witness W1 $w1\nquorum none\n",
    witnesses: ["W1"],
    overlap: 0,
    quorums: [{ times: {}, now: NOW, held: true, time: null }],
  },
  {
    name: "none, and nothing else",
    policy: "quorum none\n",
    witnesses: [],
    overlap: 0,
    quorums: [{ times: {}, now: NOW, held: true, time: null }],
  },
  {
    name: "spaces, tabs, comments, addresses, a witness with the bare key",
    policy:
      "# comment\n\n  \t# another\n \tlog\t$log  https://log.example/ \nwitness W\u00ef $bare\thttps://w.example/\n \t \nquorum  W\u00ef\t\n",
    logs: 1,
    witnesses: ["W\u00ef"],
    overlap: 1,
  },
  {
    name: "a log and a witness may have one key",
    policy: "log $bare\nwitness W $bare\nquorum W\n",
    logs: 1,
    witnesses: ["W"],
    overlap: 1,
  },
  { name: "no line", policy: "", refused: 0 },
  { name: "no quorum", policy: "witness W1 $w1\n", refused: 0 },
  { name: "a last line without its end", policy: "witness W1 $w1\nquorum W1", refused: 0 },
  { name: "two quorums", policy: "witness W1 $w1\nquorum W1\nquorum W1\n", refused: 3 },
  { name: "a quorum of two names", policy: "witness W1 $w1\nwitness W2 $w2\nquorum W1 W2\n", refused: 3 },
  { name: "a quorum of nothing", policy: "quorum\n", refused: 1 },
  { name: "a quorum of an unknown name", policy: "witness W1 $w1\nquorum W2\n", refused: 2 },
  { name: "a quorum before its witness", policy: "quorum W1\nwitness W1 $w1\n", refused: 1 },
  { name: "a name in another case", policy: "witness W1 $w1\nquorum w1\n", refused: 2 },
  { name: "an unknown word", policy: "witnes W1 $w1\nquorum none\n", refused: 1 },
  { name: "a word in another case", policy: "Quorum none\n", refused: 1 },
  { name: "a carriage return", policy: "quorum none\r\n", refused: 1 },
  { name: "a byte of 0x7F", policy: "# \u007f\nquorum none\n", refused: 1 },
  { name: "a byte of 0x00", policy: "quorum none\u0000\n", refused: 1 },
  { name: "a witness without a key", policy: "witness W1\nquorum none\n", refused: 1 },
  { name: "a witness with a malformed key", policy: "witness W1 $w1=\nquorum none\n", refused: 1 },
  { name: "a witness with a word too many", policy: "witness W1 $w1 https://w.example/ x\nquorum none\n", refused: 1 },
  { name: "a witness named none", policy: "witness none $w1\nquorum none\n", refused: 1 },
  { name: "a group named none", policy: "witness W1 $w1\ngroup none any W1\nquorum W1\n", refused: 2 },
  { name: "a name twice", policy: "witness W1 $w1\nwitness W1 $w2\nquorum W1\n", refused: 2 },
  { name: "a group with a witness's name", policy: "witness W1 $w1\ngroup W1 any W1\nquorum W1\n", refused: 2 },
  { name: "a key twice", policy: "witness W1 $w1\nwitness W2 $w1\nquorum W1\n", refused: 2 },
  { name: "a log twice", policy: "log $log\nlog $log\nquorum none\n", refused: 2 },
  { name: "a log without a key", policy: "log\nquorum none\n", refused: 1 },
  { name: "a threshold of 0", policy: "witness W1 $w1\ngroup g 0 W1\nquorum g\n", refused: 2 },
  { name: "a threshold above the members", policy: "witness W1 $w1\ngroup g 2 W1\nquorum g\n", refused: 2 },
  { name: "a threshold with a leading zero", policy: "witness W1 $w1\ngroup g 01 W1\nquorum g\n", refused: 2 },
  { name: "a threshold in words", policy: "witness W1 $w1\ngroup g most W1\nquorum g\n", refused: 2 },
  { name: "a group without members", policy: "group g all\nquorum g\n", refused: 1 },
  { name: "a group in itself", policy: "witness W1 $w1\ngroup g any W1 g\nquorum g\n", refused: 2 },
  { name: "a group in a later one", policy: "witness W1 $w1\ngroup g any h\ngroup h any W1\nquorum g\n", refused: 2 },
  { name: "a member twice", policy: "witness W1 $w1\ngroup g 2 W1 W1\nquorum g\n", refused: 2 },
  {
    name: "a member of two groups",
    policy: "witness W1 $w1\nwitness W2 $w2\ngroup g any W1 W2\ngroup h all g W1\nquorum h\n",
    refused: 4,
  },
  { name: "none as a member", policy: "witness W1 $w1\ngroup g any W1 none\nquorum g\n", refused: 2 },
];

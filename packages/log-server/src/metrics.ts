/** What the server counts, as Prometheus reads it (text format 0.0.4) [L-33]. */

export type Metrics = {
  readonly countRequest: (route: string, status: number, ms: number) => void;
  readonly countFailure: () => void;
  readonly countBatch: (statements: number) => void;
  readonly text: (now: Gauges) => string;
};

export type Gauges = {
  readonly size: number;
  readonly pending: number;
  /** Seconds since 1970; `undefined` where the log has no witnesses. */
  readonly quorumTime: number | undefined;
  readonly queue: number;
  readonly connections: number;
  readonly ready: boolean;
  readonly writer: boolean;
};

// Milliseconds.
const BOUNDS = [1, 5, 10, 50, 100, 500, 1000, 5000, 30_000];

export function createMetrics(): Metrics {
  const requests = new Map<string, number>();
  /** Of those that took up to a bound, and more than the one before it. */
  const buckets = BOUNDS.map(() => 0);
  let count = 0;
  let milliseconds = 0;
  let failures = 0;
  let batches = 0;
  let admitted = 0;

  return {
    countRequest: (route, status, ms) => {
      const labels = `route="${route}",status="${status}"`;
      requests.set(labels, (requests.get(labels) ?? 0) + 1);
      count++;
      milliseconds += ms;
      const i = BOUNDS.findIndex((bound) => ms <= bound);
      if (i >= 0) buckets[i]!++;
    },
    countFailure: () => {
      failures++;
    },
    countBatch: (statements) => {
      batches++;
      admitted += statements;
    },
    text: (now) => {
      const memory = process.memoryUsage();
      return [
        ...metric("touchmark_requests_total", "counter", "Requests answered.", [...requests]),
        ...metric("touchmark_request_seconds", "histogram", "Time to answer.", []),
        ...withinBounds(buckets),
        `touchmark_request_seconds_bucket{le="+Inf"} ${count}`,
        `touchmark_request_seconds_sum ${milliseconds / 1000}`,
        `touchmark_request_seconds_count ${count}`,
        ...single("touchmark_failures_total", "counter", "Failures of the log's own.", failures),
        ...single("touchmark_batches_total", "counter", "Checkpoints signed since the start.", batches),
        ...single("touchmark_statements_total", "counter", "Statements admitted since the start.", admitted),
        ...single("touchmark_tree_size", "gauge", "Leaves of the published checkpoint.", now.size),
        ...single("touchmark_unpublished_leaves", "gauge", "Leaves stored and not published yet.", now.pending),
        ...(now.quorumTime === undefined
          ? []
          : single(
              "touchmark_quorum_time_seconds",
              "gauge",
              "When the quorum last stood for the published checkpoint, in seconds since 1970; 0 if never.",
              now.quorumTime,
            )),
        ...single("touchmark_queue", "gauge", "Statements that wait to be logged.", now.queue),
        ...single("touchmark_connections", "gauge", "Open connections.", now.connections),
        ...single("touchmark_ready", "gauge", "Whether the log can append, or a reader follows.", Number(now.ready)),
        ...single("touchmark_writer", "gauge", "Whether this process is the log's writer.", Number(now.writer)),
        ...single("process_resident_memory_bytes", "gauge", "Memory of the process.", memory.rss),
        ...single("nodejs_heap_used_bytes", "gauge", "Memory in use by JavaScript.", memory.heapUsed),
        "",
      ].join("\n");
    },
  };
}

function withinBounds(buckets: readonly number[]): string[] {
  let within = 0;
  return BOUNDS.map((bound, i) => {
    within += buckets[i]!;
    return `touchmark_request_seconds_bucket{le="${bound / 1000}"} ${within}`;
  });
}

function single(name: string, type: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}

function metric(name: string, type: string, help: string, values: readonly (readonly [string, number])[]): string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...values.map(([labels, value]) => `${name}{${labels}} ${value}`),
  ];
}

import type { LogEndpoint } from "@touchmark/log";
import type { Policy } from "@touchmark/verify";
import type { Io } from "../io.ts";
/** The policy's log, by way of the network that `io` gives. */
export declare function logEndpoint(policy: Policy, io: Io): LogEndpoint;

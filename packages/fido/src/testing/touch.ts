/** What the finger does. Resolves when it has touched, or refused; must settle soon after `signal` fires. */
export type TouchPolicy = (signal: AbortSignal) => Promise<"touched" | "refused">;

/** A finger that comes after `milliseconds`. */
export function touchAfter(milliseconds: number): TouchPolicy {
  return (signal) => settleAfter(milliseconds, "touched", signal);
}

/** A finger that declines after `milliseconds`. */
export function refuseAfter(milliseconds: number): TouchPolicy {
  return (signal) => settleAfter(milliseconds, "refused", signal);
}

/** A finger that never comes: the key's own time-out ends the wait. */
export function neverTouch(): TouchPolicy {
  return (signal) => {
    const { promise, resolve } = Promise.withResolvers<"refused">();
    signal.addEventListener("abort", () => {
      resolve("refused");
    });
    return promise;
  };
}

/** A finger that a test moves: `touch()` ends the wait that is on, or the next one. */
export function manualTouch(): { readonly policy: TouchPolicy; touch(): void } {
  let pending = Promise.withResolvers<"touched">();
  return {
    policy: async (signal) => {
      const outcome = await Promise.race([pending.promise, neverTouch()(signal)]);
      if (outcome === "touched") pending = Promise.withResolvers();
      return outcome;
    },
    touch() {
      pending.resolve("touched");
    },
  };
}

function settleAfter<T>(milliseconds: number, outcome: T, signal: AbortSignal): Promise<T | "refused"> {
  const { promise, resolve } = Promise.withResolvers<T | "refused">();
  const timer = setTimeout(resolve, milliseconds, outcome);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve("refused");
  });
  return promise;
}

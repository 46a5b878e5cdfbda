import fc from "fast-check";

// Property tests take the same way each time; another seed looks elsewhere.
fc.configureGlobal({ seed: Number(process.env["FAST_CHECK_SEED"] ?? 20_261_123) });

export { fc };

/** The bytes with one to three small changes: bits flipped, bytes set, cut out, doubled or put in, the end cut off. */
export function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    kind: fc.constantFrom("flip", "set", "cut", "double", "insert", "end"),
    place: fc.nat(),
    value: fc.nat(255),
    length: fc.integer({ min: 1, max: 8 }),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let list = [...bytes];
    for (const { kind, place, value, length } of changes) {
      const at = list.length === 0 ? 0 : place % list.length;
      if (kind === "flip") list[at] = (list[at] ?? 0) ^ (1 << (value % 8));
      else if (kind === "set") list[at] = value;
      else if (kind === "cut") list.splice(at, length);
      else if (kind === "double") list.splice(at, 0, ...list.slice(at, at + length));
      else if (kind === "insert") list.splice(at, 0, ...Array.from({ length }, () => value));
      else list = list.slice(0, at);
    }
    return Uint8Array.from(list);
  });
}

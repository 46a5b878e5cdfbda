import type { Interaction } from "@touchmark/fido";
import type { Context } from "../command.ts";
export declare const PIN_FLAG: {
    readonly "pin-fd": {
        readonly value: "N";
        readonly help: "read the PIN from this file descriptor, where there is no terminal";
    };
};
/** The person at the terminal, as the security keys' client wants to have them. */
export declare function makeInteraction({ io, ui }: Context, pinFd: string | undefined): Interaction;

/** A value of npm's configuration, as npm itself says it. Throws `NPM_UNAVAILABLE`. */
export declare function npmConfig(key: string): Promise<string>;

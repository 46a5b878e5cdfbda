// Signing through a browser: passkeys of the platform, phones, and security keys where a program may not talk to them itself. Apart from the
// package's main entry, so that whoever signs over USB loads no server.
export { type BrowserEdges } from "./ask-browser.ts";
export { type BrowserEnrolledKey, type BrowserEnrollRequest, enrollInBrowser } from "./enroll-in-browser.ts";
export { type PageFile, readPageFiles } from "./page-files.ts";
export { type BrowserSignature, type BrowserSignRequest, signInBrowser } from "./sign-in-browser.ts";

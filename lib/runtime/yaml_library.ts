/** What is used of `yaml`, which is CommonJS: of such a package a bundle's `import()` would know no names. */
export { LineCounter, parse, parseAllDocuments } from "yaml";

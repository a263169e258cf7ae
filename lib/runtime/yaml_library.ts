/** The used parts of `yaml`. It is CommonJS, and in a bundle, `import()` of a CommonJS package has no named exports. */
export { isAlias, isMap, isScalar, isSeq, LineCounter, parse, parseAllDocuments } from "yaml";

// Holds the application's texts to its catalogues: node texts.mjs FOLDER. Exit 1 where a text is written into a component, is used by
// nobody, or has other placeholders in another language. That none is missing the type checker sees.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const ts = createRequire(import.meta.url)("/usr/share/nodejs/typescript");
const root = process.argv[2], faults = [];
const spoken = new Set(["aria-label", "title", "placeholder", "alt", "label", "submit", "hint"]);
const letters = /\p{L}{2,}/u;
// Names that are the same in every language.
const names = /^(Strata|SINR|dB|dBm|Mbit\/s|TOML)$/;

const parse = path => ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);

function catalogue(language) {
  const texts = new Map();
  const visit = node => {
    if (ts.isPropertyAssignment(node) && ts.isStringLiteral(node.name) && ts.isStringLiteralLike(node.initializer)) {
      if (texts.has(node.name.text)) faults.push(`${language}: "${node.name.text}" stands twice`);
      texts.set(node.name.text, node.initializer.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(join(root, "text", `${language}.ts`)));
  return texts;
}

const used = new Set(), begun = [];
function read(path) {
  const source = parse(path);
  const fault = (node, text) => faults.push(`${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${text}`);
  const visit = node => {
    if (ts.isJsxText(node) && node.text.split(/\s+/).some(word => letters.test(word) && !names.test(word))) fault(node, `a text that is in no catalogue: ${node.text.trim()}`);
    if (ts.isJsxAttribute(node) && spoken.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer) && letters.test(node.initializer.text))
      fault(node, `a text that is in no catalogue: ${node.initializer.text}`);
    if (ts.isStringLiteralLike(node)) used.add(node.text);
    if (ts.isTemplateExpression(node) && node.head.text) begun.push(node.head.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

for (const folder of ["app", "api", "live", "media", "charts", "design", "pages"]) {
  for (const name of readdirSync(join(root, folder))) if (/\.tsx?$/.test(name)) read(join(root, folder, name));
}
const en = catalogue("en"), de = catalogue("de");
const holes = text => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort().join();
for (const [key, text] of en) {
  if (!used.has(key) && !begun.some(head => head.endsWith(".") && key.startsWith(head))) faults.push(`"${key}" is used by nobody`);
  if (de.has(key) && holes(text) !== holes(de.get(key))) faults.push(`"${key}" has other placeholders in German`);
  if (!text.trim() || !de.get(key)?.trim()) faults.push(`"${key}" is empty`);
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}

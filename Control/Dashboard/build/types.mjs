// Makes api/Schema.ts of the server's OpenAPI document: node types.mjs < openapi.json > Schema.ts
import { readFileSync } from "node:fs";

const document = JSON.parse(readFileSync(0, "utf8"));
// What a page has no use for: boards, hosts, the operator, players outside, and what is no JSON of ours.
const others = /^\/api\/v1\/(operator|devices|enroll$|live|join$|network-test$|openapi|players|releases\/|objects)/;
const isOurs = path => path.startsWith("/api/v1/") && !others.test(path);
const used = new Set();

function type(schema, indent) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    used.add(name);
    return name;
  }
  if (schema.anyOf) return schema.anyOf.map(one => type(one, indent)).join(" | ");
  if (schema.enum) return schema.enum.map(one => JSON.stringify(one)).join(" | ");
  switch (schema.type) {
    case "string": return "string";
    case "integer": case "number": return "number";
    case "boolean": return "boolean";
    case "null": return "null";
    case "array": { const item = type(schema.items, indent); return item.includes("|") ? `(${item})[]` : `${item}[]`; }
    case "object": return object(schema, indent);
    default: throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
}

function object(schema, indent) {
  const fields = Object.entries(schema.properties).map(([name, field]) =>
    `${indent}  ${name}${schema.required.includes(name) ? "" : "?"}: ${type(field, indent + "  ")};`);
  return `{\n${fields.join("\n")}\n${indent}}`;
}

function answer(responses) {
  const success = Object.keys(responses).find(status => status.startsWith("2"));
  const content = responses[success]?.content;
  if (!content) return "undefined";
  return content["application/json"] ? type(content["application/json"].schema, "  ") : "Blob";
}

function body(request) {
  if (!request) return "undefined";
  return request.content["application/json"] ? type(request.content["application/json"].schema, "  ") : "Blob";
}

const shapes = [], table = [];
for (const [path, methods] of Object.entries(document.paths).filter(([path]) => isOurs(path)).sort(([a], [b]) => (a < b ? -1 : 1))) {
  for (const [method, operation] of Object.entries(methods).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const names = (operation.parameters ?? []).map(parameter => `${parameter.name}${parameter.required ? "" : "?"}: string`);
    shapes.push(`  /** ${operation.summary}. ${operation.description} */\n  ${operation.operationId}: { path: { ${names.join("; ")} }; `
      .replace("{  }", "Nothing") + `body: ${body(operation.requestBody)}; answer: ${answer(operation.responses)} };`);
    table.push(`  ${operation.operationId}: ["${method.toUpperCase()}", "${path}"],`);
  }
}

// A shape that is used may use others.
const schemas = document.components.schemas, written = new Map();
used.add("Problem");
for (let before = -1; before !== written.size;) {
  before = written.size;
  for (const name of [...used].sort()) if (!written.has(name)) written.set(name, `export type ${name} = ${type(schemas[name], "")};`);
}

console.log(`// Made of the server's OpenAPI document by build/types.mjs; not by hand. size: a data table

type Nothing = Record<string, never>;

${[...written.keys()].sort().map(name => written.get(name)).join("\n\n")}

/** What each operation takes and gives. */
export interface Operations {
${shapes.join("\n")}
}

/** The method and the path of each. */
export const operations: Record<keyof Operations, readonly [method: string, path: string]> = {
${table.join("\n")}
};`);

/** The line of a text that a fault's field is about, `toml.video.input` the `input` below `[video]`; undefined where it stands nowhere. */
export function placed(field: string, text: string): { line: number; text: string } | undefined {
  const path = field.replace(/^toml\.?/, "").replace(/\[\d+\]/g, "").split(".");
  const lines = text.split("\n");
  const key = path[path.length - 1] ?? "", wanted = path.slice(0, -1).join(".");
  let section = "", header = -1;
  for (const [index, line] of lines.entries()) {
    const title = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line);
    if (title) {
      section = title[1]!.replace(/["']/g, "");
      if (section === wanted || section === path.join(".")) header = index;
      continue;
    }
    const name = /^\s*["']?([\w.-]+)["']?\s*=/.exec(line)?.[1];
    const isMeant = name !== undefined && (section === "" ? name === path.join(".") : section === wanted ? name === key : `${section}.${name}` === path.join("."));
    if (isMeant || (section === wanted && name === key)) return { line: index + 1, text: line.trim() };
  }
  return header < 0 ? undefined : { line: header + 1, text: lines[header]!.trim() };
}

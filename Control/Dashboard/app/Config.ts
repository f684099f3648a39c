import { access, client } from "../api/Server";
import { dwell } from "./Appearance";

/** The organisation that the address names, `/?organization=nordlicht` or a link to register; empty: none. Read once, before any page takes it out of the address. */
export const named: string = [location.search, location.hash]
  .map(part => new URLSearchParams(part.slice(1)).get("organization") ?? "").find(slug => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug)) ?? "";

/** Shows the pages as whose they are, before anybody has signed in; where that cannot be told they are ours. */
export async function begin(): Promise<void> {
  try {
    const { organization } = await client.call("getConfig", named ? { organization: named } : {});
    // Whoever has signed in meanwhile sees their own.
    if (organization && (access.state.is === "unknown" || access.state.is === "out")) dwell(organization);
  } catch {
    // Nothing depends on it: the page itself says what it cannot read.
  }
}

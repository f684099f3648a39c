import { client } from "../api/Server";

const kinds: Record<string, string> = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

const ways = {
  branding: ["postOrganizationBrandingUpload", "putBlobsBrandingByOrganizationByName"],
  avatar: ["postAuthMeAvatar", "putBlobsAvatarsByOrganizationByName"],
} as const;

/** Asks for an address and sends a picture there. @returns what it is called from then on. */
export async function upload(picture: Blob, use: keyof typeof ways): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await picture.arrayBuffer()));
  const sha256 = [...digest].map(byte => byte.toString(16).padStart(2, "0")).join("");
  const request = { sha256, kind: (kinds[picture.type] ?? "png") as "png" | "jpg" | "webp", bytes: picture.size };
  const { url, name } = await client.call(ways[use][0], {}, request);
  const address = new URL(url, location.origin), organization = address.pathname.split("/").at(-2) ?? "";
  const signature = { expires: address.searchParams.get("expires") ?? "", signature: address.searchParams.get("signature") ?? "" };
  await client.call(ways[use][1], { organization, name, ...signature }, picture);
  return name;
}

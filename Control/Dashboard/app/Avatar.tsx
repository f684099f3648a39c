import { useState } from "react";
import { access, client, useSession } from "../api/Server";
import { Icon } from "../design/Icon";

/** Who is signed in, as their picture. Its address ends after some minutes: it is asked for again where the browser has to read it anew, and once. */
export function Avatar() {
  const { user } = useSession(), [lost, setLost] = useState<readonly string[]>([]), address = user.avatar;
  const renew = async (gone: string) => {
    setLost(before => [...before, gone].slice(-2));
    if (lost.length > 0) return;
    try {
      access.know(await client.call("getAuthMe", {}));
    } catch {
      // The sign stands for it until the next sign-in.
    }
  };
  return address && !lost.includes(address) ? <img className="avatar" src={address} alt="" onError={() => void renew(address)} /> : <Icon name="account" />;
}

import { useHouse } from "./Appearance";

/** The organisation's logo, where it has one and is known; else our own. */
export function Sign() {
  const house = useHouse(), logo = house?.branding?.logo;
  return house && logo ? <img className="logo" src={logo} alt={house.name} /> : <><span className="mark" aria-hidden="true" />Strata</>;
}
